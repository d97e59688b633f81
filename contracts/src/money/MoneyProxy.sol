// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1967Utils} from "@openzeppelin/contracts/proxy/ERC1967/ERC1967Utils.sol";
import {Proxy} from "@openzeppelin/contracts/proxy/Proxy.sol";
import {IMoneyFactory} from "../IMoneyFactory.sol";

/// @title MoneyProxy
/// @notice What stands at the address of a currency: an ERC-1967 proxy without a function of its own, so that no
///         selector of the implementation can be hidden by one. It asks its maker for the implementation instead of
///         being told: its creation code is the same for every currency, and its address follows from the currency's
///         number.
contract MoneyProxy is Proxy {
    constructor() {
        ERC1967Utils.upgradeToAndCall(IMoneyFactory(msg.sender).implementation(), "");
    }

    function _implementation() internal view override returns (address code) {
        return ERC1967Utils.getImplementation();
    }
}
