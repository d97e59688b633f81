// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1155Errors, IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {Governed} from "../src/Governed.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {IPurposeMoney} from "../src/IPurposeMoney.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {PurposeMoney} from "../src/PurposeMoney.sol";
import {ContractWallet, OddMoney} from "./OddMoney.sol";
import {Purposes} from "./Purposes.sol";

contract PurposeMoneyTest is Purposes {
    // Opening

    function testAPurposeIsOpened() public {
        uint256 tokenId = purposes.tokenIdOf(MINISTRY, SCHOOL);
        IPurposeMoney.Terms memory terms = _terms();
        terms.uri = "https://ministry.example/2";
        vm.expectEmit(address(purposes));
        emit IPurposeMoney.PurposeOpened(purposes.tokenIdOf(MINISTRY, OTHER), MINISTRY, address(coin), terms);
        vm.prank(MINISTRY);
        uint256 second = purposes.openPurpose(OTHER, terms);
        isTrue(second != tokenId);
        isTrue(keccak256(bytes(purposes.uri(second))) == keccak256(bytes(terms.uri)));
        IPurposeMoney.Purpose memory opened = purposes.purposeOf(tokenId);
        equal(opened.creator, MINISTRY);
        equal(opened.supply, 0);
        equal(opened.terms.class, BOOKS);
    }

    function testAPurposeIsOpenedOnce() public {
        IPurposeMoney.Terms memory terms = _terms();
        _refusesOpening(terms, abi.encodeWithSelector(IPurposeMoney.PurposeExists.selector, school));
        vm.prank(STRANGER);
        purposes.openPurpose(SCHOOL, terms);
    }

    function testAPurposeIsSound() public {
        IPurposeMoney.Terms memory terms = _terms();
        bytes memory reason = abi.encodeWithSelector(IPurposeMoney.ZeroIdentifier.selector);
        _refuses(reason);
        vm.prank(MINISTRY);
        purposes.openPurpose(0, terms);
        terms.class = 0;
        _refusesOpening(terms, reason);
        terms = _terms();
        terms.money = STRANGER;
        _refusesOpening(terms, abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
        uint64[3] memory expiries = [_now(), _now() + 3650 days + 1, 0];
        for (uint256 i = 0; i < 3; ++i) {
            terms = _terms();
            terms.expiry = expiries[i];
            _refusesOpening(terms, abi.encodeWithSelector(IPurposeMoney.ExpiryOutOfRange.selector, expiries[i]));
        }
        terms = _terms();
        terms.uri = "";
        _refusesOpening(terms, abi.encodeWithSelector(IPurposeMoney.InvalidUri.selector));
        terms.uri = string(new bytes(513));
        _refusesOpening(terms, abi.encodeWithSelector(IPurposeMoney.InvalidUri.selector));
    }

    function testAVerifierGoesWithItsAdmission() public {
        IPurposeMoney.Admission[4] memory admissions = [
            IPurposeMoney.Admission.CREATOR,
            IPurposeMoney.Admission.INSTITUTION,
            IPurposeMoney.Admission.VERIFIER,
            IPurposeMoney.Admission.VERIFIER
        ];
        for (uint256 i = 0; i < 4; ++i) {
            IPurposeMoney.Terms memory terms = _terms();
            terms.admission = admissions[i];
            if (i != 2) terms.verifier = address(wallets);
            if (i == 2) terms.level = 1;
            _refusesOpening(terms, abi.encodeWithSelector(IPurposeMoney.InvalidAdmission.selector));
        }
        IPurposeMoney.Terms memory far = _terms();
        (far.admission, far.verifier, far.level) = (IPurposeMoney.Admission.VERIFIER, STRANGER, 1);
        _refusesOpening(far, abi.encodeWithSelector(Governed.NotAContract.selector, STRANGER));
    }

    // Wrapping

    function testTheCreatorWrapsMoneyForHolders() public {
        vm.expectEmit(address(purposes));
        emit IPurposeMoney.TokenWrap(MINISTRY, one(school), one(70), address(coin), 70);
        _wrap(school, ALICE, 70);
        equal(purposes.balanceOf(ALICE, school), 70);
        equal(coin.balanceOf(address(purposes)), 70);
        equal(purposes.purposeOf(school).supply, 70);
    }

    function testOnlyTheCreatorWraps() public {
        _refuses(abi.encodeWithSelector(IPurposeMoney.NotCreator.selector, school, STRANGER));
        vm.prank(STRANGER);
        purposes.wrapMany(school, oneAddress(ALICE), one(1));
        _refuses(abi.encodeWithSelector(IPurposeMoney.UnknownPurpose.selector, 1));
        _wrap(1, ALICE, 1);
    }

    function testWhatIsWrappedIsSound() public {
        _refuses(abi.encodeWithSelector(IPurposeMoney.LengthMismatch.selector));
        vm.prank(MINISTRY);
        purposes.wrapMany(school, new address[](2), one(1));
        _refuses(abi.encodeWithSelector(IPurposeMoney.NoAmount.selector));
        _wrap(school, ALICE, 0);
        _refuses(abi.encodeWithSelector(IERC1155Errors.ERC1155InvalidReceiver.selector, address(0)));
        _wrap(school, address(0), 1);
        _refuses(
            abi.encodeWithSelector(
                IERC20Errors.ERC20InsufficientAllowance.selector, address(purposes), FUNDS, FUNDS + 1
            )
        );
        _wrap(school, ALICE, FUNDS + 1);
    }

    function testMoneyThatDoesNotComeInWholeIsNotWrapped() public {
        OddMoney odd = new OddMoney(1);
        odd.mint(MINISTRY, 100);
        vm.prank(MINISTRY);
        odd.approve(address(purposes), 100);
        IPurposeMoney.Terms memory terms = _terms();
        terms.money = address(odd);
        vm.prank(MINISTRY);
        uint256 tokenId = purposes.openPurpose(OTHER, terms);
        _refuses(abi.encodeWithSelector(IPurposeMoney.NotReceived.selector, 100, 99));
        _wrap(tokenId, ALICE, 100);
    }

    // Paying

    function testAHolderPaysAPayee() public {
        _wrap(school, ALICE, 70);
        vm.expectEmit(address(purposes));
        emit IPurposeMoney.TokenUnwrapForTarget(ALICE, SHOP, one(school), one(30), address(coin), 30);
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 30);
        equal(coin.balanceOf(SHOP), 30);
        equal(purposes.balanceOf(ALICE, school), 40);
        equal(purposes.balanceOf(SHOP, school), 0);
        equal(purposes.purposeOf(school).supply, 40);
    }

    function testATransferToAPayeeIsAPayment() public {
        _wrap(school, ALICE, 70);
        vm.prank(ALICE);
        purposes.safeTransferFrom(ALICE, SHOP, school, 30, "");
        vm.prank(ALICE);
        purposes.setApprovalForAll(STRANGER, true);
        vm.prank(STRANGER);
        purposes.safeBatchTransferFrom(ALICE, SHOP, one(school), one(20), "");
        equal(coin.balanceOf(SHOP), 50);
        equal(purposes.balanceOf(SHOP, school), 0);
    }

    function testNobodyElseIsPaid() public {
        _wrap(school, ALICE, 70);
        address[4] memory others = [BOB, ALICE, MINISTRY, address(purposes)];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory reason = abi.encodeWithSelector(IPurposeMoney.NotPayee.selector, school, others[i]);
            _refuses(reason);
            vm.prank(ALICE);
            purposes.unwrap(ALICE, others[i], school, 1);
            _refuses(reason);
            vm.prank(ALICE);
            purposes.safeTransferFrom(ALICE, others[i], school, 1, "");
        }
        _setPayee(address(purposes), true);
        _refuses(abi.encodeWithSelector(IPurposeMoney.NotPayee.selector, school, address(purposes)));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, address(purposes), school, 1);
    }

    function testNobodyPaysWithWhatIsNotTheirs() public {
        _wrap(school, ALICE, 70);
        bytes memory reason = abi.encodeWithSelector(IPurposeMoney.NotHolder.selector, ALICE, SHOP);
        _refuses(reason);
        vm.prank(SHOP);
        purposes.unwrap(ALICE, SHOP, school, 1);
        _refuses(reason);
        vm.prank(SHOP);
        purposes.safeTransferFrom(ALICE, SHOP, school, 1, "");
        _refuses(reason);
        vm.prank(SHOP);
        purposes.safeBatchTransferFrom(ALICE, SHOP, one(school), one(1), "");
        _refuses(abi.encodeWithSelector(IERC1155Errors.ERC1155InsufficientBalance.selector, ALICE, 70, 71, school));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 71);
        _refuses(abi.encodeWithSelector(IPurposeMoney.NoAmount.selector));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 0);
        _refuses(abi.encodeWithSelector(IPurposeMoney.LengthMismatch.selector));
        vm.prank(ALICE);
        purposes.safeBatchTransferFrom(ALICE, SHOP, one(school), new uint256[](2), "");
        _refuses(abi.encodeWithSelector(IPurposeMoney.UnknownPurpose.selector, 1));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, 1, 1);
    }

    function testWhatCanBePassedOnPassesAndIsStillBound() public {
        IPurposeMoney.Terms memory terms = _terms();
        terms.passable = true;
        vm.prank(MINISTRY);
        uint256 tokenId = purposes.openPurpose(OTHER, terms);
        _wrap(tokenId, ALICE, 70);
        vm.prank(ALICE);
        purposes.safeTransferFrom(ALICE, BOB, tokenId, 50, "");
        equal(purposes.balanceOf(BOB, tokenId), 50);
        equal(coin.balanceOf(BOB), 0);
        vm.prank(BOB);
        purposes.safeTransferFrom(BOB, SHOP, tokenId, 50, "");
        equal(coin.balanceOf(SHOP), 50);
        _refuses(abi.encodeWithSelector(IPurposeMoney.NotPayee.selector, tokenId, BOB));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, BOB, tokenId, 1);
    }

    function testAPayeeThatIsDismissedIsPaidNoMore() public {
        _wrap(school, ALICE, 70);
        isTrue(purposes.isPayee(school, SHOP));
        _pause(address(purposes), 1 days);
        vm.expectEmit(address(purposes));
        emit IPurposeMoney.PayeeChanged(MINISTRY, BOOKS, SHOP, false);
        _setPayee(SHOP, false);
        isFalse(purposes.isPayee(school, SHOP));
        _refuses(abi.encodeWithSelector(Governed.Paused.selector));
        _setPayee(SHOP, true);
        vm.warp(block.timestamp + 1 days);
        _refuses(abi.encodeWithSelector(IPurposeMoney.NotPayee.selector, school, SHOP));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 1);
    }

    function testClassesAreTheCreatorsOwn() public {
        vm.prank(STRANGER);
        purposes.setPayees(BOOKS, oneAddress(STRANGER), true);
        isFalse(purposes.isPayee(school, STRANGER));
        _refuses(abi.encodeWithSelector(IPurposeMoney.ZeroIdentifier.selector));
        purposes.setPayees(0, oneAddress(STRANGER), true);
        _refuses(abi.encodeWithSelector(IPurposeMoney.UnknownPurpose.selector, 1));
        purposes.isPayee(1, SHOP);
        _refuses(abi.encodeWithSelector(IPurposeMoney.UnknownPurpose.selector, 1));
        purposes.purposeOf(1);
        _refuses(abi.encodeWithSelector(IPurposeMoney.UnknownPurpose.selector, 1));
        purposes.uri(1);
    }

    function testInstitutionsOfAClassArePaid() public {
        IPurposeMoney.Terms memory terms = _terms();
        (terms.money, terms.admission) = (address(cbdc), IPurposeMoney.Admission.INSTITUTION);
        vm.prank(MINISTRY);
        uint256 tokenId = purposes.openPurpose(OTHER, terms);
        _wrap(tokenId, ALICE, 70);
        _refuses(abi.encodeWithSelector(IPurposeMoney.NotPayee.selector, tokenId, SHOP));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, tokenId, 1);
        _setInstitution(SHOP, BOOKS);
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, tokenId, 1);
        equal(cbdc.balanceOf(SHOP), 1);
        terms.money = address(coin);
        vm.prank(MINISTRY);
        isFalse(purposes.isPayee(purposes.openPurpose(ORDER, terms), SHOP));
    }

    function testWalletsThatAVerifierKnowsArePaid() public {
        IPurposeMoney.Terms memory terms = _terms();
        (terms.admission, terms.verifier, terms.level) = (IPurposeMoney.Admission.VERIFIER, address(wallets), 2);
        vm.prank(MINISTRY);
        uint256 tokenId = purposes.openPurpose(OTHER, terms);
        isFalse(purposes.isPayee(tokenId, SHOP));
        wallets.know(BOOKS, SHOP, 1);
        isFalse(purposes.isPayee(tokenId, SHOP));
        wallets.know(BOOKS, SHOP, 2);
        isTrue(purposes.isPayee(tokenId, SHOP));
        _wrap(tokenId, ALICE, 70);
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, tokenId, 70);
        equal(coin.balanceOf(SHOP), 70);
    }

    function testTheRulesOfTheCurrencyHold() public {
        IPurposeMoney.Terms memory terms = _terms();
        terms.money = address(cbdc);
        vm.prank(MINISTRY);
        uint256 tokenId = purposes.openPurpose(OTHER, terms);
        _wrap(tokenId, ALICE, 70);
        _setPayee(STRANGER, true);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, STRANGER));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, STRANGER, tokenId, 1);
        _wrap(school, ALICE, 10);
        _freeze(coin, SHOP);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AccountFrozen.selector, SHOP));
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 1);
        equal(purposes.balanceOf(ALICE, school), 10);
    }

    // Signed payments

    function testASignedPaymentIsHandedInByAnybodyOnce() public {
        _wrap(school, holder, 70);
        IPurposeMoney.Payment memory payment = _payment();
        bytes memory signature = _signDigest(HOLDER_SECRET, purposes.digestOf(payment));
        vm.prank(STRANGER);
        purposes.unwrapWithSignature(payment, signature);
        equal(coin.balanceOf(SHOP), 25);
        _refuses(abi.encodeWithSelector(IPurposeMoney.PaymentUsed.selector, purposes.digestOf(payment)));
        purposes.unwrapWithSignature(payment, signature);
    }

    function testASignedPaymentIsForItselfAlone() public {
        _wrap(school, holder, 70);
        IPurposeMoney.Payment memory payment = _payment();
        bytes memory signature = _signDigest(HOLDER_SECRET, purposes.digestOf(payment));
        bytes memory reason = abi.encodeWithSelector(IPurposeMoney.InvalidSignature.selector);
        payment.amount = 26;
        _refuses(reason);
        purposes.unwrapWithSignature(payment, signature);
        payment = _payment();
        payment.salt = ORDER;
        _refuses(reason);
        purposes.unwrapWithSignature(payment, signature);
        payment = _payment();
        payment.from = ALICE;
        _refuses(reason);
        purposes.unwrapWithSignature(payment, signature);
        payment = _payment();
        vm.warp(payment.deadline);
        purposes.unwrapWithSignature(payment, signature);
        payment.salt = ORDER;
        signature = _signDigest(HOLDER_SECRET, purposes.digestOf(payment));
        vm.warp(payment.deadline + 1);
        _refuses(abi.encodeWithSelector(IPurposeMoney.DeadlinePassed.selector, payment.deadline));
        purposes.unwrapWithSignature(payment, signature);
    }

    function testASignedPaymentIsCancelledByItsHolder() public {
        _wrap(school, holder, 70);
        IPurposeMoney.Payment memory payment = _payment();
        bytes32 digest = purposes.digestOf(payment);
        _refuses(abi.encodeWithSelector(IPurposeMoney.NotHolder.selector, holder, STRANGER));
        vm.prank(STRANGER);
        purposes.cancelPayment(payment);
        _pause(address(purposes), 1 days);
        vm.expectEmit(address(purposes));
        emit IPurposeMoney.PaymentCancelled(digest, holder);
        vm.prank(holder);
        purposes.cancelPayment(payment);
        vm.warp(block.timestamp + 1 days);
        bytes memory signature = _signDigest(HOLDER_SECRET, digest);
        _refuses(abi.encodeWithSelector(IPurposeMoney.PaymentUsed.selector, digest));
        purposes.unwrapWithSignature(payment, signature);
        _refuses(abi.encodeWithSelector(IPurposeMoney.PaymentUsed.selector, digest));
        vm.prank(holder);
        purposes.cancelPayment(payment);
    }

    function testAContractHoldsAndSigns() public {
        ContractWallet wallet = new ContractWallet();
        _wrap(school, address(wallet), 70);
        IPurposeMoney.Payment memory payment = _payment();
        payment.from = address(wallet);
        wallet.say(purposes.digestOf(payment));
        purposes.unwrapWithSignature(payment, "");
        equal(coin.balanceOf(SHOP), 25);
    }

    // Returning

    function testWhatIsNotSpentGoesBackToTheCreator() public {
        _wrap(school, ALICE, 70);
        _wrap(school, BOB, 30);
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 20);
        uint64 expiry = purposes.purposeOf(school).terms.expiry;
        _refuses(abi.encodeWithSelector(IPurposeMoney.PurposeNotExpired.selector, school, expiry));
        purposes.returnExpired(school);
        vm.warp(expiry);
        _refusesAllAfter(expiry);
        vm.expectEmit(address(purposes));
        emit IPurposeMoney.PBMrevokeWithdraw(MINISTRY, school, address(coin), 80);
        vm.prank(STRANGER);
        purposes.returnExpired(school);
        equal(coin.balanceOf(MINISTRY), FUNDS - 20);
        equal(purposes.balanceOf(ALICE, school) + purposes.balanceOf(BOB, school), 0);
        isTrue(purposes.purposeOf(school).returned);
        _refuses(abi.encodeWithSelector(IPurposeMoney.PurposeReturned.selector, school));
        purposes.returnExpired(school);
        _refusesAllAfter(expiry);
        _refuses(abi.encodeWithSelector(IPurposeMoney.UnknownPurpose.selector, 1));
        purposes.returnExpired(1);
    }

    function testAPauseStopsWhatMakesAndMoves() public {
        _wrap(school, ALICE, 70);
        IPurposeMoney.Terms memory terms = _terms();
        IPurposeMoney.Payment memory payment = _payment();
        _pause(address(purposes), 1 days);
        bytes memory reason = abi.encodeWithSelector(Governed.Paused.selector);
        _refusesOpening(terms, reason);
        _refuses(reason);
        _wrap(school, ALICE, 1);
        _refuses(reason);
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 1);
        _refuses(reason);
        purposes.unwrapWithSignature(payment, "");
        _refuses(reason);
        vm.prank(ALICE);
        purposes.safeTransferFrom(ALICE, SHOP, school, 1, "");
        _refuses(reason);
        vm.prank(ALICE);
        purposes.safeBatchTransferFrom(ALICE, SHOP, one(school), one(1), "");
        _refuses(reason);
        purposes.returnExpired(school);
    }

    function testFuzzEveryUnitIsPaidOrReturned(uint64 wrapped, uint64 paid, bool byTransfer) public {
        uint256 sum = within(wrapped, 1, FUNDS);
        uint256 part = within(paid, 1, sum);
        _wrap(school, ALICE, sum);
        vm.prank(ALICE);
        if (byTransfer) purposes.safeTransferFrom(ALICE, SHOP, school, part, "");
        else purposes.unwrap(ALICE, SHOP, school, part);
        vm.warp(_now() + 31 days);
        purposes.returnExpired(school);
        equal(coin.balanceOf(SHOP), part);
        equal(coin.balanceOf(MINISTRY), FUNDS - part);
        equal(coin.balanceOf(address(purposes)), 0);
    }

    function _refusesOpening(IPurposeMoney.Terms memory terms, bytes memory reason) private {
        _refuses(reason);
        vm.prank(MINISTRY);
        purposes.openPurpose(SCHOOL, terms);
    }

    function _refusesAllAfter(uint64 expiry) private {
        bytes memory reason = abi.encodeWithSelector(IPurposeMoney.PurposeExpired.selector, school, expiry);
        _refuses(reason);
        vm.prank(ALICE);
        purposes.unwrap(ALICE, SHOP, school, 1);
        _refuses(reason);
        vm.prank(ALICE);
        purposes.safeTransferFrom(ALICE, SHOP, school, 1, "");
        _refuses(reason);
        _wrap(school, ALICE, 1);
    }

    function _payment() private view returns (IPurposeMoney.Payment memory payment) {
        return IPurposeMoney.Payment(school, holder, SHOP, 25, START + 1 days, DIGEST);
    }
}
