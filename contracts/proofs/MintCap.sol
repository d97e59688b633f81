// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Caps} from "src/money/Caps.sol";

/// @title MintCap
/// @notice What contracts/prove.ts has the compiler's model checker prove, for every argument. Each function is a step of
///         money/MoneyIssuance.sol over the same library: what is required of the state before is asserted of the state
///         after, and holds where all is zero, so it holds after any number of steps.
contract MintCap {
    uint256 private constant MAX_SUPPLY = 2 ** 63 - 1;

    function setLimit(uint256 most, uint256 left, uint256 next) external pure {
        require(left <= most);
        uint256 available = Caps.leftAfterChange(most, left, next);
        assert(available <= next);
        // Nothing is won by setting the same limit again.
        assert(next != most || available == left);
    }

    /// @dev Between two calls: never more than the limit, and no more than what was left and what came back.
    function wait(uint256 most, uint256 left, uint256 refill) external pure {
        require(left <= most);
        uint256 available = Caps.leftOf(most, left, refill);
        assert(available <= most);
        assert(available >= left);
        assert(available - left <= refill);
    }

    function mint(uint256 supply, uint256 most, uint256 available, uint256 amount) external pure {
        require(available <= most);
        require(supply <= MAX_SUPPLY);
        require(amount <= available);
        require(Caps.fits(supply, amount, MAX_SUPPLY));
        assert(amount <= most);
        assert(supply + amount <= MAX_SUPPLY);
    }

    function mintAgainst(uint256 supply, uint256 reserve, uint256 amount) external pure {
        require(Caps.fits(supply, amount, reserve));
        assert(supply + amount <= reserve);
    }
}
