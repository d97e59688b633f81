// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPurposeMoney} from "../src/IPurposeMoney.sol";
import {PurposeMoney} from "../src/PurposeMoney.sol";
import {Currencies} from "./Currencies.sol";
import {Registers} from "./Registers.sol";
import {SigningVm} from "./Wallets.sol";

/// @title Purposes
/// @notice A nation in which the ministry has funds in both currencies and a purpose, coin for school books until in a
///         month, which the shop sells.
abstract contract Purposes is Registers, Currencies {
    SigningVm internal constant signing = SigningVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant HOLDER_SECRET = 0xA01DE4;
    uint256 internal constant FUNDS = 100_000;
    address internal constant SHOP = address(0x5A0B);
    bytes32 internal constant SCHOOL = keccak256("school");
    bytes32 internal constant BOOKS = keccak256("books");

    PurposeMoney internal purposes;
    address internal holder;
    uint256 internal school;

    function setUp() public virtual override {
        super.setUp();
        holder = signing.addr(HOLDER_SECRET);
        _createCurrencies(address(wallets));
        purposes = new PurposeMoney(address(dids), address(governance));
        _setInstitution(address(purposes), SETTLER);
        _setInstitution(MINISTRY, keccak256("ministry"));
        vm.prank(ISSUER);
        cbdc.setLimits(ISSUER, FUNDS, FUNDS);
        vm.prank(ISSUER);
        cbdc.crosschainMint(MINISTRY, FUNDS);
        _issueCoin(MINISTRY, FUNDS);
        _approve(coin, MINISTRY, address(purposes), FUNDS);
        _approve(cbdc, MINISTRY, address(purposes), FUNDS);
        vm.prank(MINISTRY);
        school = purposes.openPurpose(SCHOOL, _terms());
        _setPayee(SHOP, true);
    }

    function _terms() internal view returns (IPurposeMoney.Terms memory terms) {
        (terms.money, terms.class) = (address(coin), BOOKS);
        (terms.expiry, terms.uri) = (_now() + 30 days, "https://ministry.example/1");
    }

    function _setPayee(address payee, bool admitted) internal {
        vm.prank(MINISTRY);
        purposes.setPayees(BOOKS, oneAddress(payee), admitted);
    }

    function _wrap(uint256 tokenId, address to, uint256 amount) internal {
        vm.prank(MINISTRY);
        purposes.wrapMany(tokenId, oneAddress(to), one(amount));
    }
}
