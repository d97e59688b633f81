// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Caps
/// @notice The arithmetic of what may be made: pure, so that proofs/MintCap.sol can prove what it promises. Amounts are
///         at most MAX_SUPPLY, `left` at most `most`.
library Caps {
    /// @dev How long a limit takes to refill, in seconds.
    uint256 internal constant REFILL = 1 days;

    /// @notice What of a daily limit comes back in so many seconds.
    function refillOf(uint256 most, uint256 elapsed) internal pure returns (uint256 amount) {
        return most * elapsed / REFILL;
    }

    /// @notice What is left of a limit of `most` when `left` was left and `refill` has come back. Never more than
    ///         `most`.
    function leftOf(uint256 most, uint256 left, uint256 refill) internal pure returns (uint256 available) {
        return refill < most - left ? left + refill : most;
    }

    /// @notice What is left of a limit that changes from `most` to `next`, of which `left` is left: what is used stays
    ///         used, so that setting a limit anew is no way to refill it.
    function leftAfterChange(uint256 most, uint256 left, uint256 next) internal pure returns (uint256 available) {
        uint256 used = most - left;
        return used < next ? next - used : 0;
    }

    /// @notice Whether `amount` more than `supply` is at most `cap`.
    function fits(uint256 supply, uint256 amount, uint256 cap) internal pure returns (bool within) {
        return supply <= cap && amount <= cap - supply;
    }
}
