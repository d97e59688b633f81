// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Governed} from "../src/Governed.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISettlement} from "../src/ISettlement.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {ITitleRegistry} from "../src/ITitleRegistry.sol";
import {Settlement} from "../src/Settlement.sol";
import {ContractWallet, OddMoney} from "./OddMoney.sol";
import {Settlements} from "./Settlements.sol";

contract SettlementTest is Settlements {
    function testASettlementNeedsANetworkThatBecomesFinal() public {
        uint32[2] memory wrong = [uint32(0), 7 days + 1];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(abi.encodeWithSelector(ISettlement.InvalidFinality.selector, wrong[i]));
            new Settlement(address(dids), address(governance), wrong[i]);
        }
        equal(new Settlement(address(dids), address(governance), 7 days).finality(), 7 days);
    }

    // Trades

    function testATitleIsSettledAgainstMoneyByTwoSignatures() public {
        ISettlement.Trade memory trade = _sale();
        bytes[] memory signatures = _signatures(trade);
        bytes32 tradeId = settlement.tradeIdOf(trade);
        vm.expectEmit(address(settlement));
        emit ISettlement.Settled(tradeId, trade.legs);
        vm.prank(STRANGER);
        settlement.settle(trade, signatures);
        equal(titles.ownerOf(flat), buyer);
        equal(coin.balanceOf(seller), PRICE);
        _isTrade(tradeId, ISettlement.TradeState.SETTLED);
    }

    function testATradeSettlesOnce() public {
        ISettlement.Trade memory trade = _pair(_give(coin, buyer, seller, 1), _give(cbdc, buyer, seller, 1));
        bytes[] memory signatures = _signatures(trade);
        settlement.settle(trade, signatures);
        bytes memory reason = _closed(trade, ISettlement.TradeState.SETTLED);
        _refuses(reason);
        settlement.settle(trade, signatures);
        _refuses(reason);
        vm.prank(buyer);
        settlement.cancelTrade(trade);
        _refuses(reason);
        vm.prank(buyer);
        settlement.agree(trade);
        trade.salt = ORDER;
        settlement.settle(trade, _signatures(trade));
        equal(coin.balanceOf(seller), 2);
    }

    function testTheCallerAndWhoeverAgreedNeedNotSign() public {
        ISettlement.Trade memory trade = _sale();
        bytes32 tradeId = settlement.tradeIdOf(trade);
        vm.expectEmit(address(settlement));
        emit ISettlement.Agreed(tradeId, seller);
        vm.prank(seller);
        settlement.agree(trade);
        isTrue(settlement.hasAgreed(tradeId, seller));
        isFalse(settlement.hasAgreed(tradeId, buyer));
        vm.prank(buyer);
        settlement.settle(trade, new bytes[](2));
        equal(titles.ownerOf(flat), buyer);
    }

    function testATradeOfThreeCarriesTheTax() public {
        ISettlement.Trade memory trade = _sale();
        ISettlement.Leg[] memory legs = new ISettlement.Leg[](3);
        (legs[0], legs[1], legs[2]) = (trade.legs[0], trade.legs[1], _give(coin, buyer, TREASURY, 60));
        trade.legs = legs;
        bytes[] memory signatures = _signatures(trade);
        signatures[2] = "";
        settlement.settle(trade, signatures);
        equal(coin.balanceOf(TREASURY), 60);
        equal(titles.ownerOf(flat), buyer);
    }

    function testMoneyIsSettledAgainstMoney() public {
        _issueCbdc(seller, 500);
        _approve(cbdc, seller, address(settlement), 500);
        ISettlement.Trade memory trade = _pair(_give(cbdc, seller, buyer, 500), _give(coin, buyer, seller, 400));
        settlement.settle(trade, _signatures(trade));
        equal(cbdc.balanceOf(buyer), 10 * PRICE + 500);
        equal(coin.balanceOf(seller), 400);
    }

    function testUnitsOfAnAssetAreSettledAgainstMoney() public {
        vm.prank(AGENCY);
        assets.openRegister(AGENCY, LAND, LICENCE, BASE);
        vm.prank(AGENCY);
        assets.openClass(keyOf(AGENCY, LAND), class(ENTRY, 1000, true));
        vm.prank(AGENCY);
        assets.issueMany(idOf(LAND, ENTRY), oneAddress(seller), one128(600));
        vm.prank(seller);
        assets.setApprovalForAll(address(settlement), true);
        ISettlement.Leg memory units =
            ISettlement.Leg(ISettlement.Kind.ERC1155, address(assets), seller, buyer, idOf(LAND, ENTRY), 25);
        ISettlement.Trade memory trade = _pair(units, _give(coin, buyer, seller, PRICE));
        settlement.settle(trade, _signatures(trade));
        equal(assets.balanceOf(buyer, idOf(LAND, ENTRY)), 25);
    }

    function testAContractTradesByItsOwnSignature() public {
        ContractWallet wallet = new ContractWallet();
        wallets.know(REALM, address(wallet), 2);
        _issueCoin(address(wallet), PRICE);
        wallet.call(address(coin), abi.encodeCall(coin.approve, (address(settlement), PRICE)));
        address company = address(wallet);
        ISettlement.Trade memory trade = _pair(_deliver(flat, seller, company), _give(coin, company, seller, PRICE));
        bytes[] memory signatures = _signatures(trade);
        _refuses(_notAgreed(trade, company));
        settlement.settle(trade, signatures);
        wallet.say(settlement.tradeIdOf(trade));
        settlement.settle(trade, signatures);
        equal(titles.ownerOf(flat), company);
    }

    function testNobodyGivesWithoutAgreeing() public {
        ISettlement.Trade memory trade = _sale();
        bytes[] memory signatures = _signatures(trade);
        signatures[0] = "";
        _refuses(_notAgreed(trade, seller));
        settlement.settle(trade, signatures);
        _refuses(_notAgreed(trade, seller));
        vm.prank(buyer);
        settlement.settle(trade, signatures);
        (signatures[0], signatures[1]) = (_signatures(trade)[1], _signatures(trade)[0]);
        _refuses(_notAgreed(trade, seller));
        settlement.settle(trade, signatures);
        _nobodyMoved();
    }

    function testASignatureIsForItsTradeAlone() public {
        ISettlement.Trade memory trade = _sale();
        bytes[] memory signatures = _signatures(trade);
        trade.legs[1].amount = PRICE - 1;
        _refuses(_notAgreed(trade, seller));
        settlement.settle(trade, signatures);
        (trade.legs[1].amount, trade.validUntil) = (PRICE, trade.validUntil + 1);
        _refuses(_notAgreed(trade, seller));
        settlement.settle(trade, signatures);
        (trade.validUntil, trade.legs[0].to) = (trade.validUntil - 1, STRANGER);
        _refuses(_notAgreed(trade, seller));
        settlement.settle(trade, signatures);
        trade = _sale();
        signing.chainId(block.chainid + 1);
        _refuses(_notAgreed(trade, seller));
        settlement.settle(trade, signatures);
        _nobodyMoved();
    }

    function testNoLegMovesWithoutTheOther() public {
        ISettlement.Trade memory trade = _sale();
        bytes[] memory signatures = _signatures(trade);
        _approve(coin, buyer, address(settlement), PRICE - 1);
        _refuses(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(settlement), PRICE - 1, PRICE
            )
        );
        settlement.settle(trade, signatures);
        _approve(coin, buyer, address(settlement), PRICE);
        _freeze(coin, buyer);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, buyer));
        settlement.settle(trade, signatures);
        _unfreeze(coin, buyer);
        vm.prank(AGENCY);
        titles.freeze(flat, CAVEAT);
        _refuses(abi.encodeWithSelector(ITitleRegistry.TitleFrozen.selector, flat));
        settlement.settle(trade, signatures);
        _nobodyMoved();
    }

    function testTheRulesOfARegisterHold() public {
        uint256 land = idOf(LAND, ENTRY);
        vm.prank(AGENCY);
        titles.mintMany(keyOf(AGENCY, LAND), title(ENTRY, seller));
        vm.prank(seller);
        titles.setApprovalForAll(address(settlement), true);
        ISettlement.Trade memory trade = _pair(_deliver(land, seller, buyer), _give(coin, buyer, seller, 1));
        bytes[] memory signatures = _signatures(trade);
        _refuses(abi.encodeWithSelector(ITitleRegistry.ByRegisterOnly.selector, land));
        settlement.settle(trade, signatures);
        trade = _pair(_deliver(flat, seller, STRANGER), _give(coin, buyer, seller, 1));
        signatures = _signatures(trade);
        _refuses(abi.encodeWithSelector(ITitleRegistry.WalletNotBound.selector, STRANGER));
        settlement.settle(trade, signatures);
        trade = _pair(_deliver(flat, seller, buyer), _give(cbdc, buyer, STRANGER, 1));
        signatures = _signatures(trade);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, STRANGER));
        settlement.settle(trade, signatures);
        _nobodyMoved();
    }

    function testEitherPartyCancelsAndThatIsFinal() public {
        ISettlement.Trade memory trade = _sale();
        bytes[] memory signatures = _signatures(trade);
        _refuses(abi.encodeWithSelector(ISettlement.NotParty.selector, STRANGER));
        vm.prank(STRANGER);
        settlement.cancelTrade(trade);
        _refuses(abi.encodeWithSelector(ISettlement.NotParty.selector, STRANGER));
        vm.prank(STRANGER);
        settlement.agree(trade);
        bytes32 tradeId = settlement.tradeIdOf(trade);
        _pause(address(settlement), 1 days);
        vm.expectEmit(address(settlement));
        emit ISettlement.TradeCancelled(tradeId, buyer);
        vm.prank(buyer);
        settlement.cancelTrade(trade);
        vm.warp(block.timestamp + 12 hours);
        vm.prank(GUARD);
        governance.unpause(address(settlement));
        bytes memory reason = _closed(trade, ISettlement.TradeState.CANCELLED);
        _refuses(reason);
        settlement.settle(trade, signatures);
        _refuses(reason);
        vm.prank(seller);
        settlement.cancelTrade(trade);
    }

    function testATradeHasItsTime() public {
        ISettlement.Trade memory trade = _sale();
        bytes[] memory signatures = _signatures(trade);
        vm.warp(trade.validUntil);
        bytes memory reason =
            abi.encodeWithSelector(ISettlement.TradeExpired.selector, settlement.tradeIdOf(trade), trade.validUntil);
        _refuses(reason);
        settlement.settle(trade, signatures);
        _refuses(reason);
        vm.prank(seller);
        settlement.agree(trade);
        vm.prank(seller);
        settlement.cancelTrade(trade);
    }

    function testAPauseStopsTradesAndLocks() public {
        ISettlement.Trade memory trade = _sale();
        bytes[] memory signatures = _signatures(trade);
        _pause(address(settlement), 1 days);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        settlement.settle(trade, signatures);
        ISettlement.Lock memory terms = _terms();
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _lock(terms);
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        settlement.lockWithAuthorization(terms, 0, 1, "");
    }

    function testATradeHasTwoToEightLegs() public {
        ISettlement.Trade memory trade = _sale();
        uint256[3] memory counts = [uint256(0), 1, 9];
        for (uint256 i = 0; i < 3; ++i) {
            trade.legs = new ISettlement.Leg[](counts[i]);
            bytes memory reason = abi.encodeWithSelector(ISettlement.LegsOutOfRange.selector, counts[i]);
            _refuses(reason);
            settlement.settle(trade, new bytes[](counts[i]));
            _refuses(reason);
            settlement.agree(trade);
            _refuses(reason);
            settlement.cancelTrade(trade);
        }
    }

    function testALegIsSound() public {
        ISettlement.Leg[11] memory wrong;
        for (uint256 i = 0; i < 11; ++i) {
            wrong[i] = i < 8 ? _give(coin, buyer, seller, PRICE) : _deliver(flat, seller, buyer);
        }
        wrong[0].from = address(0);
        wrong[1].to = address(0);
        wrong[2].to = buyer;
        wrong[3].from = address(settlement);
        wrong[4].to = address(settlement);
        wrong[5].token = STRANGER;
        wrong[6].amount = 0;
        wrong[7].id = 1;
        wrong[8].amount = 2;
        wrong[9].amount = 0;
        wrong[10].token = address(0);
        for (uint256 i = 0; i < 11; ++i) {
            ISettlement.Trade memory trade = _pair(_deliver(flat, seller, buyer), wrong[i]);
            _refuses(abi.encodeWithSelector(ISettlement.InvalidLeg.selector, 1));
            settlement.settle(trade, new bytes[](2));
        }
    }

    function testThereIsOneSignatureForEachLeg() public {
        ISettlement.Trade memory trade = _sale();
        _refuses(abi.encodeWithSelector(ISettlement.SignaturesMismatch.selector, 1, 2));
        settlement.settle(trade, new bytes[](1));
        _refuses(abi.encodeWithSelector(ISettlement.SignaturesMismatch.selector, 3, 2));
        settlement.settle(trade, new bytes[](3));
    }

    // Locks

    function testAHashLockIsClaimedByThePreimage() public {
        ISettlement.Lock memory terms = _hashTerms();
        bytes32 lockId = settlement.lockIdOf(terms);
        vm.expectEmit(address(settlement));
        emit ISettlement.Locked(lockId, buyer, seller, terms);
        _lock(terms);
        equal(coin.balanceOf(address(settlement)), PRICE);
        vm.expectEmit(address(settlement));
        emit ISettlement.Claimed(lockId, seller, PRICE, PREIMAGE);
        _claim(STRANGER, terms, PREIMAGE);
        equal(coin.balanceOf(seller), PRICE);
        _isLock(lockId, ISettlement.LockState.CLAIMED);
    }

    function testAPreimageIsTheRightOneOrNone() public {
        ISettlement.Lock memory terms = _hashTerms();
        bytes memory reason = abi.encodeWithSelector(ISettlement.PreimageMismatch.selector, settlement.lockIdOf(terms));
        _lock(terms);
        _refuses(reason);
        _claim(seller, terms, DIGEST);
        _refuses(reason);
        _claim(seller, terms, bytes32(0));
        terms = _terms();
        _lock(terms);
        _refuses(abi.encodeWithSelector(ISettlement.PreimageMismatch.selector, settlement.lockIdOf(terms)));
        _claim(seller, terms, PREIMAGE);
    }

    function testBetweenTwoThePayeeClaims() public {
        ISettlement.Lock memory terms = _terms();
        _lock(terms);
        address[3] memory others = [buyer, STRANGER, ARBITER];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(abi.encodeWithSelector(ISettlement.NotParty.selector, others[i]));
            _claim(others[i], terms, 0);
        }
        _claim(seller, terms, 0);
        equal(coin.balanceOf(seller), PRICE);
    }

    function testAmongThreeTheArbiterDecides() public {
        ISettlement.Lock memory terms = _terms();
        terms.arbiter = ARBITER;
        _lock(terms);
        address[3] memory others = [buyer, seller, STRANGER];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(abi.encodeWithSelector(ISettlement.NotParty.selector, others[i]));
            _claim(others[i], terms, 0);
        }
        _claim(ARBITER, terms, 0);
        equal(coin.balanceOf(seller), PRICE);
        terms.salt = ORDER;
        bytes32 lockId = _lock(terms);
        vm.expectEmit(address(settlement));
        emit ISettlement.Refunded(lockId, buyer, PRICE, ARBITER);
        vm.prank(ARBITER);
        settlement.giveBack(terms);
        equal(coin.balanceOf(buyer), 9 * PRICE);
    }

    function testAnArbiterOfAHashLockNeedsThePreimageToo() public {
        ISettlement.Lock memory terms = _hashTerms();
        terms.arbiter = ARBITER;
        bytes32 lockId = _lock(terms);
        _refuses(abi.encodeWithSelector(ISettlement.NotParty.selector, seller));
        _claim(seller, terms, PREIMAGE);
        _refuses(abi.encodeWithSelector(ISettlement.PreimageMismatch.selector, lockId));
        _claim(ARBITER, terms, 0);
        _claim(ARBITER, terms, PREIMAGE);
    }

    function testAFeeIsPaidOnceTheLicenceStands() public {
        uint256 licenceId = idOf(LAND, ENTRY);
        vm.prank(AGENCY);
        licences.openRegister(AGENCY, LAND, LICENCE, BASE);
        ISettlement.Lock memory terms = _terms();
        (terms.payee, terms.delivery, terms.deliveryId) = (AGENCY, address(licences), licenceId);
        bytes32 lockId = _lock(terms);
        _refuses(abi.encodeWithSignature("ERC721NonexistentToken(uint256)", licenceId));
        _claim(AGENCY, terms, 0);
        vm.prank(AGENCY);
        licences.mintMany(keyOf(AGENCY, LAND), licence(ENTRY, STRANGER, 0));
        _refuses(abi.encodeWithSelector(ISettlement.NotDelivered.selector, lockId, STRANGER));
        _claim(AGENCY, terms, 0);
        vm.prank(AGENCY);
        licences.replaceWallet(licenceId, STRANGER, buyer, ORDER);
        _claim(TREASURY, terms, 0);
        equal(coin.balanceOf(AGENCY), PRICE);
    }

    function testATitleThatItsRegisterMovesIsPaidOnDelivery() public {
        uint256 land = idOf(LAND, ENTRY);
        vm.prank(AGENCY);
        titles.mintMany(keyOf(AGENCY, LAND), title(ENTRY, seller));
        ISettlement.Lock memory terms = _terms();
        (terms.money, terms.delivery, terms.deliveryId) = (address(cbdc), address(titles), land);
        bytes32 lockId = _lock(terms);
        _refuses(abi.encodeWithSelector(ISettlement.NotDelivered.selector, lockId, seller));
        _claim(seller, terms, 0);
        vm.prank(AGENCY);
        titles.transferByRegister(land, seller, buyer, OTHER);
        _claim(seller, terms, 0);
        equal(cbdc.balanceOf(seller), PRICE);
    }

    function testALockIsIrrevocableUntilItExpiresAndThenRefunded() public {
        ISettlement.Lock memory terms = _hashTerms();
        bytes32 lockId = _lock(terms);
        _refuses(abi.encodeWithSelector(ISettlement.NotParty.selector, buyer));
        vm.prank(buyer);
        settlement.giveBack(terms);
        vm.warp(terms.expiry - 1);
        _refuses(abi.encodeWithSelector(ISettlement.LockNotExpired.selector, lockId, terms.expiry));
        settlement.refund(terms);
        vm.warp(terms.expiry);
        _refuses(abi.encodeWithSelector(ISettlement.LockExpired.selector, lockId, terms.expiry));
        _claim(seller, terms, PREIMAGE);
        vm.expectEmit(address(settlement));
        emit ISettlement.Refunded(lockId, buyer, PRICE, STRANGER);
        vm.prank(STRANGER);
        settlement.refund(terms);
        equal(coin.balanceOf(buyer), 10 * PRICE);
    }

    function testThePayeeGivesBackAndNobodyElse() public {
        ISettlement.Lock memory terms = _terms();
        bytes32 lockId = _lock(terms);
        address[3] memory others = [buyer, STRANGER, ARBITER];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(abi.encodeWithSelector(ISettlement.NotParty.selector, others[i]));
            vm.prank(others[i]);
            settlement.giveBack(terms);
        }
        vm.prank(seller);
        settlement.giveBack(terms);
        _isLock(lockId, ISettlement.LockState.REFUNDED);
        equal(coin.balanceOf(buyer), 10 * PRICE);
    }

    function testALockIsDecidedOnce() public {
        ISettlement.Lock memory terms = _terms();
        bytes32 lockId = _lock(terms);
        _refusesEnd(terms, ISettlement.LockState.NONE);
        _claim(seller, terms, 0);
        bytes memory reason = _wrongLock(lockId, ISettlement.LockState.CLAIMED);
        _refuses(reason);
        _claim(seller, terms, 0);
        _refuses(reason);
        vm.prank(seller);
        settlement.giveBack(terms);
        vm.warp(terms.expiry);
        _refuses(reason);
        settlement.refund(terms);
        terms = _terms();
        lockId = _lock(terms);
        vm.warp(terms.expiry);
        settlement.refund(terms);
        _refuses(_wrongLock(lockId, ISettlement.LockState.REFUNDED));
        settlement.refund(terms);
        equal(coin.balanceOf(address(settlement)), 0);
    }

    function testALockIsMadeOnce() public {
        ISettlement.Lock memory terms = _terms();
        bytes32 lockId = _lock(terms);
        _refuses(_wrongLock(lockId, ISettlement.LockState.LOCKED));
        _lock(terms);
        _claim(seller, terms, 0);
        _refuses(_wrongLock(lockId, ISettlement.LockState.CLAIMED));
        _lock(terms);
    }

    function testOnlyThePayersOwnMoneyIsLocked() public {
        ISettlement.Lock memory terms = _terms();
        _refuses(abi.encodeWithSelector(ISettlement.NotPayer.selector, seller));
        vm.prank(seller);
        settlement.lock(terms);
        _approve(coin, buyer, address(settlement), 0);
        _refuses(
            abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, address(settlement), 0, PRICE)
        );
        _lock(terms);
        _isLock(settlement.lockIdOf(terms), ISettlement.LockState.NONE);
    }

    function testTheTermsOfALockAreSound() public {
        ISettlement.Lock memory terms = _terms();
        address[5] memory payees = [buyer, address(0), address(settlement), address(0), address(settlement)];
        for (uint256 i = 0; i < 5; ++i) {
            if (i > 2) (terms.payer, terms.payee) = (payees[i], seller);
            else terms.payee = payees[i];
            _refuses(abi.encodeWithSelector(ISettlement.InvalidParties.selector, terms.payer, terms.payee));
            settlement.lockWithAuthorization(terms, 0, 1, "");
        }
        terms = _terms();
        terms.amount = 0;
        _refuses(abi.encodeWithSelector(ISettlement.NoAmount.selector));
        _lock(terms);
        uint64[3] memory expiries = [_now(), _now() + 366 days + 1, type(uint64).max];
        terms = _terms();
        for (uint256 i = 0; i < 3; ++i) {
            terms.expiry = expiries[i];
            _refuses(abi.encodeWithSelector(ISettlement.ExpiryOutOfRange.selector, expiries[i]));
            _lock(terms);
        }
        terms.expiry = _now() + 366 days;
        _lock(terms);
    }

    function testMoneyThatDoesNotComeInWholeIsNotLocked() public {
        OddMoney odd = new OddMoney(1);
        odd.mint(buyer, PRICE);
        vm.prank(buyer);
        odd.approve(address(settlement), PRICE);
        ISettlement.Lock memory terms = _terms();
        terms.money = address(odd);
        _refuses(abi.encodeWithSelector(ISettlement.NotReceived.selector, PRICE, PRICE - 1));
        _lock(terms);
    }

    function testAPauseTakesNobodysClaimNorRefund() public {
        ISettlement.Lock memory terms = _hashTerms();
        _lock(terms);
        terms.salt = ORDER;
        _lock(terms);
        terms.salt = OTHER;
        _lock(terms);
        _pause(address(settlement), 7 days);
        _claim(STRANGER, terms, PREIMAGE);
        terms.salt = ORDER;
        vm.prank(seller);
        settlement.giveBack(terms);
        terms.salt = DIGEST;
        vm.warp(terms.expiry);
        settlement.refund(terms);
        equal(coin.balanceOf(buyer), 9 * PRICE);
    }

    function testWhoCannotReceiveNowLosesNothing() public {
        ISettlement.Lock memory terms = _hashTerms();
        bytes32 lockId = _lock(terms);
        _freeze(coin, seller);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, seller));
        _claim(seller, terms, PREIMAGE);
        _isLock(lockId, ISettlement.LockState.LOCKED);
        _freeze(coin, buyer);
        vm.warp(terms.expiry);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, buyer));
        settlement.refund(terms);
        _unfreeze(coin, buyer);
        settlement.refund(terms);
        equal(coin.balanceOf(buyer), 10 * PRICE);
    }

    // Signed locks

    function testASignedLockIsPaidForByAnybody() public {
        ISettlement.Lock memory terms = _hashTerms();
        bytes32 lockId = settlement.lockIdOf(terms);
        bytes memory signature = _authorize(coin, BUYER_SECRET, address(settlement), PRICE, lockId);
        vm.prank(STRANGER);
        settlement.lockWithAuthorization(terms, 0, block.timestamp + 1 days, signature);
        _isLock(lockId, ISettlement.LockState.LOCKED);
        _claim(STRANGER, terms, PREIMAGE);
        _refuses(_wrongLock(lockId, ISettlement.LockState.CLAIMED));
        settlement.lockWithAuthorization(terms, 0, block.timestamp + 1 days, signature);
    }

    function testASignedLockIsForItsTermsAlone() public {
        ISettlement.Lock memory terms = _hashTerms();
        bytes memory signature = _authorize(coin, BUYER_SECRET, address(settlement), PRICE, settlement.lockIdOf(terms));
        bytes memory reason = abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector);
        terms.payee = STRANGER;
        _refuses(reason);
        settlement.lockWithAuthorization(terms, 0, block.timestamp + 1 days, signature);
        terms = _hashTerms();
        terms.expiry += 1;
        _refuses(reason);
        settlement.lockWithAuthorization(terms, 0, block.timestamp + 1 days, signature);
        terms = _hashTerms();
        terms.hashLock = DIGEST;
        _refuses(reason);
        settlement.lockWithAuthorization(terms, 0, block.timestamp + 1 days, signature);
        terms = _hashTerms();
        terms.money = address(cbdc);
        _refuses(reason);
        settlement.lockWithAuthorization(terms, 0, block.timestamp + 1 days, signature);
    }

    // Two rails

    function testTheLegClaimedSecondExpiresLater() public {
        ISettlement.Lock memory terms = _hashTerms();
        (terms.otherExpiry, terms.second) = (_now() + 1 hours, true);
        uint64 earliest = terms.otherExpiry + FINALITY + 1 hours;
        equal(settlement.earliestSecond(terms.otherExpiry), earliest);
        equal(settlement.latestFirst(earliest), terms.otherExpiry);
        equal(settlement.latestFirst(FINALITY), 0);
        terms.expiry = earliest - 1;
        _refuses(abi.encodeWithSelector(ISettlement.LegsTooClose.selector, earliest - 1, earliest));
        _lock(terms);
        terms.expiry = earliest;
        _lock(terms);
        terms.otherExpiry = type(uint64).max;
        _refuses(abi.encodeWithSelector(ISettlement.LegsTooClose.selector, earliest, type(uint64).max));
        _lock(terms);
    }

    function testTheLegClaimedFirstExpiresEarlier() public {
        ISettlement.Lock memory terms = _hashTerms();
        uint64 earliest = settlement.earliestSecond(terms.expiry);
        terms.otherExpiry = earliest - 1;
        _refuses(abi.encodeWithSelector(ISettlement.LegsTooClose.selector, earliest - 1, earliest));
        _lock(terms);
        terms.otherExpiry = earliest;
        _lock(terms);
    }

    function testFuzzTheSecondLegCanAlwaysBeClaimed(uint32 first, uint32 second, bool here) public {
        ISettlement.Lock memory terms = _hashTerms();
        terms.expiry = _now() + uint64(within(first, 1, 300 days));
        terms.otherExpiry = _now() + uint64(within(second, 1, 300 days));
        terms.second = here;
        (uint64 one_, uint64 two) = here ? (terms.otherExpiry, terms.expiry) : (terms.expiry, terms.otherExpiry);
        vm.prank(buyer);
        try settlement.lock(terms) {
            isTrue(two >= one_ + FINALITY + 1 hours);
        } catch {
            isTrue(two < one_ + FINALITY + 1 hours);
        }
    }

    function testFuzzOnlyThePreimageOpens(bytes32 guess) public {
        ISettlement.Lock memory terms = _hashTerms();
        bytes32 lockId = _lock(terms);
        vm.assume(guess != PREIMAGE);
        _refuses(abi.encodeWithSelector(ISettlement.PreimageMismatch.selector, lockId));
        _claim(seller, terms, guess);
    }

    function testFuzzATradeMovesAllOrNothing(uint256 price, bool frozen) public {
        price = within(price, 1, 20 * PRICE);
        ISettlement.Trade memory trade = _pair(_deliver(flat, seller, buyer), _give(coin, buyer, seller, price));
        if (frozen) _freeze(coin, seller);
        try settlement.settle(trade, _signatures(trade)) {
            equal(titles.ownerOf(flat), buyer);
            equal(coin.balanceOf(seller), price);
            isTrue(!frozen && price <= 10 * PRICE);
        } catch {
            isTrue(frozen || price > 10 * PRICE);
            _nobodyMoved();
        }
    }

    function _refusesEnd(ISettlement.Lock memory terms, ISettlement.LockState state) private {
        terms.salt = OTHER;
        bytes memory reason = _wrongLock(settlement.lockIdOf(terms), state);
        _refuses(reason);
        _claim(seller, terms, 0);
        _refuses(reason);
        vm.prank(seller);
        settlement.giveBack(terms);
        _refuses(reason);
        settlement.refund(terms);
        terms.salt = DIGEST;
    }

    function _notAgreed(ISettlement.Trade memory trade, address party) private view returns (bytes memory reason) {
        return abi.encodeWithSelector(ISettlement.NotAgreed.selector, settlement.tradeIdOf(trade), party);
    }

    function _closed(ISettlement.Trade memory trade, ISettlement.TradeState state)
        private
        view
        returns (bytes memory reason)
    {
        return abi.encodeWithSelector(ISettlement.TradeClosed.selector, settlement.tradeIdOf(trade), state);
    }

    function _wrongLock(bytes32 lockId, ISettlement.LockState state) private pure returns (bytes memory reason) {
        return abi.encodeWithSelector(ISettlement.WrongLockState.selector, lockId, state);
    }
}
