// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IEthereumDIDRegistry} from "./IEthereumDIDRegistry.sol";
import {IGovernance} from "./IGovernance.sol";

/// @title Governed
/// @notice What every registry shares: it knows the registry of DIDs and stands under Governance.
abstract contract Governed is AccessManaged {
    /// @notice How far ahead of the block's time a caller's clock may be, in seconds. Nodes estimate a transaction
    ///         against the last block, which on a quiet network is minutes old.
    uint64 public constant CLOCK_TOLERANCE = 5 minutes;

    /// @notice The registry that says who owns an identity.
    IEthereumDIDRegistry public immutable didRegistry;

    /// @notice Governance has paused this registry.
    error Paused();
    /// @notice There is no contract at this address.
    error NotAContract(address account);

    modifier whenNotPaused() {
        if (IGovernance(authority()).isPaused(address(this))) revert Paused();
        _;
    }

    constructor(address didRegistry_, address governance_) AccessManaged(governance_) {
        if (didRegistry_.code.length == 0) revert NotAContract(didRegistry_);
        if (governance_.code.length == 0) revert NotAContract(governance_);
        didRegistry = IEthereumDIDRegistry(didRegistry_);
    }

    /// @dev Zero for identity zero, which anyone can claim in the registry of DIDs.
    function _ownerOf(address identity) internal view returns (address owner) {
        return identity == address(0) ? address(0) : didRegistry.identityOwner(identity);
    }
}
