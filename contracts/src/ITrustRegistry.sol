// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ITrustRegistry
/// @notice Who may issue which type of credential, since when and until when; which keys are no longer to be trusted;
///         which schemas of a type are admitted.
///
///         The root (a role under Governance) accredits issuers for a type. An accreditation with depth d > 0 lets its
///         issuer accredit others below it, with a smaller depth and within its own validity. So a chain has at most
///         MAX_DEPTH + 1 links. When a link ends, everything below it ends at the same time and does not come back with
///         a new accreditation of that link.
///
///         *Ended* and *void* differ. Ended at T: what was issued before T stays good. Void since T (compromise,
///         fraud): the issuer's own dates prove nothing any more; a verifier refuses every credential of that
///         accreditation unless independent evidence shows that it existed before T. The `at` that the views take must
///         be such a proven time, or now.
///
///         This contract holds the newest accreditation of each (issuer, type); earlier ones are in the events. Times
///         are seconds; periods include their start and exclude their end. A pause stops accrediting and admitting,
///         never ending, voiding, distrusting or withdrawing.
interface ITrustRegistry {
    /// @notice The newest accreditation of an issuer for a type, as recorded (without what its parents add).
    struct Accreditation {
        address parent;
        uint8 depth;
        uint24 serial;
        uint24 parentSerial;
        uint40 recordedAt;
        uint64 validFrom;
        uint64 validUntil;
        uint64 endedAt;
        uint64 voidSince;
        uint40 voidedAt;
    }

    /// @notice `issuer` was accredited for `typeId`; `parent` is zero when the root did it.
    event Accredited(
        address indexed parent,
        address indexed issuer,
        bytes32 indexed typeId,
        uint64 validFrom,
        uint64 validUntil,
        uint8 depth
    );

    /// @notice The accreditation ended at `at`; what was issued before stays good.
    event AccreditationEnded(address indexed parent, address indexed issuer, bytes32 indexed typeId, uint64 at);

    /// @notice The accreditation is void since `since`. It may be emitted again, with an earlier time each time.
    event AccreditationVoided(address indexed parent, address indexed issuer, bytes32 indexed typeId, uint64 since);

    /// @notice The issuer's key with this thumbprint is not to be trusted since `since`. It may be emitted again, with
    ///         an earlier time each time.
    event KeyDistrusted(address indexed issuer, bytes32 indexed thumbprint, uint64 since);

    /// @notice The root admitted the schema with this digest for the type.
    event SchemaAdmitted(bytes32 indexed typeId, bytes32 indexed digest);

    /// @notice The root withdrew the schema at `at`.
    event SchemaWithdrawn(bytes32 indexed typeId, bytes32 indexed digest, uint64 at);

    /// @notice The issuer is the zero address.
    error InvalidIssuer();
    /// @notice The type id, thumbprint or digest is zero.
    error ZeroIdentifier();
    /// @notice The depth is above what the accreditor may give.
    error DepthOutOfRange(uint8 depth, uint8 highest);
    /// @notice The period is empty, over, or begins earlier or ends later than allowed.
    error PeriodOutOfRange(uint64 validFrom, uint64 validUntil);
    /// @notice The issuer holds an accreditation for this type that is in force or will be.
    error AlreadyAccredited(address issuer, bytes32 typeId);
    /// @notice The caller is not the owner of the parent.
    error NotParentOwner(address parent, address caller);
    /// @notice The parent holds no accreditation in force for this type.
    error ParentNotAccredited(address parent, bytes32 typeId);
    /// @notice The newest accreditation of this issuer for this type does not exist or has another parent.
    error UnknownAccreditation(address parent, address issuer, bytes32 typeId);
    /// @notice The accreditation has expired, was ended or is void.
    error NotInForce(address issuer, bytes32 typeId);
    /// @notice The time is zero, too far in the future, or not earlier than the one recorded.
    error SinceOutOfRange(uint64 since, uint64 latest);
    /// @notice The schema is admitted already.
    error SchemaExists(bytes32 typeId, bytes32 digest);
    /// @notice The schema is not admitted.
    error UnknownSchema(bytes32 typeId, bytes32 digest);

    /// @notice Accredits an issuer at the top. Emits Accredited with parent zero.
    /// @dev    ROOT, while not paused. Errors, in order: AccessManagedUnauthorized, Paused, InvalidIssuer,
    ///         ZeroIdentifier, DepthOutOfRange, AlreadyAccredited, PeriodOutOfRange.
    /// @param validFrom  May lie up to MAX_RECOGNITION in the past: a state recognises what an authority issued before
    ///                   it joined, or moves to a new registry. Never before the end or the voiding of an earlier
    ///                   accreditation of this issuer for this type.
    /// @param validUntil After validFrom and after now.
    /// @param depth      How many levels may be accredited below; at most MAX_DEPTH.
    function accredit(address issuer, bytes32 typeId, uint64 validFrom, uint64 validUntil, uint8 depth) external;

    /// @notice Accredits an issuer below `parent`. Emits Accredited.
    /// @dev    The owner of `parent`, while not paused and while the parent's own accreditation is in force. Errors, in
    ///         order: Paused, NotParentOwner, InvalidIssuer, ZeroIdentifier, ParentNotAccredited, DepthOutOfRange,
    ///         AlreadyAccredited, PeriodOutOfRange.
    /// @param validFrom  Not before the parent's, and at most MAX_DELAY in the past: that covers a transaction that
    ///                   waited and clocks that differ, and is too short to legitimise old credentials afterwards.
    /// @param validUntil After validFrom and after now, not after the parent's.
    /// @param depth      Smaller than the parent's.
    function accreditBelow(
        address parent,
        address issuer,
        bytes32 typeId,
        uint64 validFrom,
        uint64 validUntil,
        uint8 depth
    ) external;

    /// @notice Ends an accreditation now; what was issued before stays good. Everything below it ends too.
    /// @dev    ROOT, or the owner of the parent while the parent's own accreditation is in force. Never paused. Errors,
    ///         in order: UnknownAccreditation, AccessManagedUnauthorized, NotInForce.
    /// @param parent The accreditor; zero for the root.
    function endAccreditation(address parent, address issuer, bytes32 typeId) external;

    /// @notice Declares an accreditation void since a time in the past, also after it ended or expired. What was
    ///         accredited below it before that time, at any level, ends at that time; what was accredited from then on
    ///         never was. It can be declared again with an earlier time, never with a later one, and never taken back.
    ///         It concerns this accreditation alone: for earlier ones of the same issuer use distrustKey.
    /// @dev    ROOT, or the owner of the parent while the parent's own accreditation is in force. Never paused. Errors,
    ///         in order: UnknownAccreditation, AccessManagedUnauthorized, SinceOutOfRange.
    /// @param since Not zero; up to CLOCK_TOLERANCE after the block's time is taken as the block's time.
    function voidAccreditation(address parent, address issuer, bytes32 typeId, uint64 since) external;

    /// @notice Declares a key of an issuer not to be trusted since a time in the past. As with voiding: earlier, never
    ///         later, never taken back.
    /// @dev    ROOT, or the owner of the issuer. Never paused. Errors, in order: InvalidIssuer, ZeroIdentifier,
    ///         AccessManagedUnauthorized, SinceOutOfRange.
    /// @param thumbprint SHA-256 JWK thumbprint (RFC 7638) of the public key.
    /// @param since      As for voidAccreditation.
    function distrustKey(address issuer, bytes32 thumbprint, uint64 since) external;

    /// @notice Admits the schema with this digest for a type. A type may have several.
    /// @dev    ROOT, while not paused. Errors, in order: AccessManagedUnauthorized, Paused, ZeroIdentifier,
    ///         SchemaExists.
    function admitSchema(bytes32 typeId, bytes32 digest) external;

    /// @notice Withdraws an admitted schema, from now on. It may be admitted again.
    /// @dev    ROOT. Never paused. Errors, in order: AccessManagedUnauthorized, UnknownSchema.
    function withdrawSchema(bytes32 typeId, bytes32 digest) external;

    /// @notice Whether the issuer's newest accreditation for the type, and each one above it, was in force at `at`.
    ///         Times before the newest accreditation are answered false, and so is everything below an accreditation
    ///         that a newer one of the same parent replaced; the events have them.
    function isAccredited(address issuer, bytes32 typeId, uint64 at) external view returns (bool accredited);

    /// @notice The period in which isAccredited answers true, after everything above is taken into account. Empty
    ///         (`until <= from`) when there is none.
    function standingOf(address issuer, bytes32 typeId) external view returns (uint64 from, uint64 until);

    /// @notice The newest accreditation as recorded; serial zero: none was ever given.
    function accreditationOf(address issuer, bytes32 typeId) external view returns (Accreditation memory accreditation);

    /// @notice Whether the root admits this schema for this type now.
    function isSchemaAdmitted(bytes32 typeId, bytes32 digest) external view returns (bool admitted);

    /// @notice Since when the key is distrusted; zero: it is not.
    function keyDistrustedSince(address issuer, bytes32 thumbprint) external view returns (uint64 since);

    /// @notice The functions that belong to the root. Governance maps them to its ROOT role after deployment with
    ///         `setTargetFunctionRole`; until then only its administrator may call them.
    function rootFunctions() external pure returns (bytes4[] memory selectors);
}
