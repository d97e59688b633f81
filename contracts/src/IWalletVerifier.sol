// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title IWalletVerifier
/// @notice What a token asks before it gives something to a wallet: does a known person stand behind it, at which level
///         of due diligence, where, and until when. A *domain* is the realm within which a person has one pseudonym (a
///         currency, a register): keccak256 of its name.
///
///         WalletRegistry answers from bindings. Adapters answer from an EAS attestation or an ERC-3643 identity
///         registry; a token does not see the difference.
///
///         Every function answers for the block's time and never reverts for a wallet or domain it does not know: what
///         is not known is not valid. Whoever implements it lets errors of its own sources revert, never pass.
interface IWalletVerifier {
    /// @notice Whether a person stands behind `wallet` in `domain` now.
    function isValid(address wallet, bytes32 domain) external view returns (bool valid);

    /// @notice The same with what is known. Everything is zero when `valid` is false.
    /// @return valid        Whether a person stands behind the wallet now.
    /// @return level        Of due diligence: 1 basic, 2 verified, 3 enhanced; a higher level includes the lower.
    /// @return jurisdiction ISO 3166-1 alpha-2 in capitals, as two ASCII bytes ("NL"); zero where the source has none.
    /// @return expiry       When this ends by itself, in seconds, exclusive.
    function standingOf(address wallet, bytes32 domain)
        external
        view
        returns (bool valid, uint8 level, bytes2 jurisdiction, uint64 expiry);

    /// @notice Who stands behind the wallet: the same value for every wallet of one person in one domain, unrelated
    ///         between domains where the source can do that (see each implementation). Zero when the wallet is not
    ///         valid.
    function pseudonymOf(address wallet, bytes32 domain) external view returns (bytes32 pseudonym);
}
