// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISettlement} from "../src/ISettlement.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {Settlement} from "../src/Settlement.sol";
import {Currencies} from "./Currencies.sol";
import {Registers} from "./Registers.sol";
import {SigningVm} from "./Wallets.sol";

/// @title Settlements
/// @notice A nation with flats that wallets may transfer, land that moves by its register alone, and both currencies.
///         The seller has a flat, the buyer has money; both are known persons and have keys of their own.
abstract contract Settlements is Registers, Currencies {
    SigningVm internal constant signing = SigningVm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint256 internal constant SELLER_SECRET = 0x5E11;
    uint256 internal constant BUYER_SECRET = 0xB0B0;
    uint32 internal constant FINALITY = 15 minutes;
    uint256 internal constant PRICE = 1000;
    address internal constant TREASURY = address(0x7E);
    address internal constant ARBITER = address(0xA7);
    bytes32 internal constant PREIMAGE = keccak256("preimage");

    Settlement internal settlement;
    address internal seller;
    address internal buyer;
    uint256 internal flat;

    function setUp() public virtual override {
        super.setUp();
        (seller, buyer) = (signing.addr(SELLER_SECRET), signing.addr(BUYER_SECRET));
        settlement = new Settlement(address(dids), address(governance), FINALITY);
        _createCurrencies(address(wallets));
        wallets.know(REALM, seller, 2);
        wallets.know(REALM, buyer, 2);
        wallets.know(cbdc.domain(), seller, 2);
        wallets.know(cbdc.domain(), buyer, 2);
        _setInstitution(address(settlement), SETTLER);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, FLATS, LICENCE, BASE, true, REALM, 2);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, LAND, LICENCE, BASE, false, 0, 0);
        flat = idOf(FLATS, ENTRY);
        vm.prank(AGENCY);
        titles.mintMany(keyOf(AGENCY, FLATS), title(ENTRY, seller));
        vm.prank(seller);
        titles.approve(address(settlement), flat);
        _issueCoin(buyer, 10 * PRICE);
        _issueCbdc(buyer, 10 * PRICE);
        _approve(coin, buyer, address(settlement), type(uint256).max);
        _approve(cbdc, buyer, address(settlement), type(uint256).max);
    }

    /// @dev By a bridge, as there is no other way.
    function _issueCbdc(address to, uint256 amount) internal {
        vm.prank(ISSUER);
        cbdc.setLimits(ISSUER, 100_000_000, 100_000_000);
        vm.prank(ISSUER);
        cbdc.crosschainMint(to, amount);
    }

    function _give(ISovereignMoney money, address from, address to, uint256 amount)
        internal
        pure
        returns (ISettlement.Leg memory leg)
    {
        return ISettlement.Leg(ISettlement.Kind.ERC20, address(money), from, to, 0, amount);
    }

    function _deliver(uint256 tokenId, address from, address to) internal view returns (ISettlement.Leg memory leg) {
        return ISettlement.Leg(ISettlement.Kind.ERC721, address(titles), from, to, tokenId, 1);
    }

    /// @dev The flat against coin.
    function _sale() internal view returns (ISettlement.Trade memory trade) {
        return _pair(_deliver(flat, seller, buyer), _give(coin, buyer, seller, PRICE));
    }

    function _pair(ISettlement.Leg memory first, ISettlement.Leg memory second)
        internal
        view
        returns (ISettlement.Trade memory trade)
    {
        trade.legs = new ISettlement.Leg[](2);
        (trade.legs[0], trade.legs[1]) = (first, second);
        (trade.validUntil, trade.salt) = (_now() + 1 days, DIGEST);
    }

    function _signatures(ISettlement.Trade memory trade) internal view returns (bytes[] memory signatures) {
        bytes32 tradeId = settlement.tradeIdOf(trade);
        signatures = new bytes[](trade.legs.length);
        for (uint256 i = 0; i < signatures.length; ++i) {
            signatures[i] = _signDigest(trade.legs[i].from == seller ? SELLER_SECRET : BUYER_SECRET, tradeId);
        }
    }

    /// @dev The buyer's coin for the seller, two parties, for a day.
    function _terms() internal view returns (ISettlement.Lock memory terms) {
        (terms.payer, terms.payee, terms.money, terms.amount) = (buyer, seller, address(coin), PRICE);
        (terms.expiry, terms.salt) = (_now() + 1 days, DIGEST);
    }

    function _hashTerms() internal view returns (ISettlement.Lock memory terms) {
        terms = _terms();
        terms.hashLock = sha256(abi.encodePacked(PREIMAGE));
    }

    function _lock(ISettlement.Lock memory terms) internal returns (bytes32 lockId) {
        vm.prank(terms.payer);
        return settlement.lock(terms);
    }

    function _claim(address by, ISettlement.Lock memory terms, bytes32 preimage) internal {
        vm.prank(by);
        settlement.claim(terms, preimage);
    }

    function _isLock(bytes32 lockId, ISettlement.LockState state) internal view {
        equal(uint256(settlement.lockStateOf(lockId)), uint256(state));
    }

    function _isTrade(bytes32 tradeId, ISettlement.TradeState state) internal view {
        equal(uint256(settlement.tradeStateOf(tradeId)), uint256(state));
    }

    function _nobodyMoved() internal view {
        equal(titles.ownerOf(flat), seller);
        equal(coin.balanceOf(seller), 0);
        equal(coin.balanceOf(buyer), 10 * PRICE);
    }
}
