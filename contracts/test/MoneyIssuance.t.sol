// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC7802} from "@openzeppelin/contracts/interfaces/draft-IERC7802.sol";
import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {Moneys} from "./Moneys.sol";

/// @notice Minters, bridges, limits and the reserve.
contract MoneyIssuanceTest is Moneys {
    uint64 private constant MOST = uint64(type(int64).max);

    function testAMinterMintsAndBurnsAndSaysSo() public {
        vm.expectEmit(address(coin));
        emit ISovereignMoney.Minted(MINTER, annaPurse, 1000);
        vm.prank(MINTER);
        coin.mint(annaPurse, 1000);
        vm.prank(annaPurse);
        coin.transfer(MINTER, 400);
        vm.expectEmit(address(coin));
        emit ISovereignMoney.Burned(MINTER, MINTER, 400);
        vm.prank(MINTER);
        coin.burn(MINTER, 400);
        equal(coin.totalSupply(), 600);
        (uint256 minting, uint256 mintingLeft, uint256 burning, uint256 burningLeft) = coin.minterLimitsOf(MINTER);
        equal(minting, 1_000_000);
        equal(mintingLeft, 999_000);
        equal(burning, 1_000_000);
        equal(burningLeft, 999_600);
    }

    function testWhoeverIsNoMinterMintsNothing(address caller, uint64 amount) public {
        vm.assume(caller != MINTER);
        uint256 wanted = within(amount, 1, MOST);
        vm.prank(caller);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, caller, 0, wanted));
        coin.mint(annaPurse, wanted);
        vm.assume(caller != BRIDGE);
        vm.prank(caller);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, caller, 0, wanted));
        crown.crosschainMint(annaPurse, wanted);
    }

    function testAMinterIsNoBridgeAndABridgeNoMinter() public {
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, MINTER, 0, 1));
        coin.crosschainMint(annaPurse, 1);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, BRIDGE, 0, 1));
        crown.mint(annaPurse, 1);
    }

    function testNothingIsNeitherMintedNorBurned() public {
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroAmount.selector));
        coin.mint(annaPurse, 0);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroAmount.selector));
        coin.burn(MINTER, 0);
    }

    function testMoneyIsNotMintedToNobody() public {
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InvalidReceiver.selector, address(0)));
        coin.mint(address(0), 1);
    }

    function testAMintBeyondTheAllowanceIsRefused() public {
        _fund(coin, annaPurse, 999_999);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, MINTER, 1, 2));
        coin.mint(annaPurse, 2);
        vm.prank(MINTER);
        coin.mint(annaPurse, 1);
    }

    function testAnAllowanceRefillsEvenlyAndNoFurther() public {
        _fund(coin, annaPurse, 1_000_000);
        vm.warp(START + 6 hours);
        (, uint256 left,,) = coin.minterLimitsOf(MINTER);
        equal(left, 250_000);
        vm.prank(MINTER);
        coin.mint(annaPurse, 250_000);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, MINTER, 0, 1));
        coin.mint(annaPurse, 1);
        vm.warp(START + 365 days);
        (, left,,) = coin.minterLimitsOf(MINTER);
        equal(left, 1_000_000);
    }

    function testSettingALimitAnewDoesNotRefillIt() public {
        _fund(coin, annaPurse, 900_000);
        _setMinter(1_000_000);
        (, uint256 left,,) = coin.minterLimitsOf(MINTER);
        equal(left, 100_000);
        _setMinter(950_000);
        (, left,,) = coin.minterLimitsOf(MINTER);
        equal(left, 50_000);
        _setMinter(100);
        (, left,,) = coin.minterLimitsOf(MINTER);
        equal(left, 0);
        _setMinter(0);
        vm.warp(START + 30 days);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, MINTER, 0, 1));
        coin.mint(annaPurse, 1);
    }

    function testLimitsAreTheIssuersToSet() public {
        vm.prank(STRANGER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotIssuer.selector, STRANGER));
        coin.setMinterLimits(STRANGER, 1, 1);
        vm.prank(ROOT_HOLDER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotIssuer.selector, ROOT_HOLDER));
        crown.setLimits(BRIDGE, 1, 1);
        vm.prank(ADMIN);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotIssuer.selector, ADMIN));
        crown.setLimits(BRIDGE, 1, 1);
    }

    function testLimitsHaveBounds() public {
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ZeroAddress.selector));
        coin.setMinterLimits(address(0), 1, 1);
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitOutOfRange.selector, uint256(MOST) + 1));
        coin.setMinterLimits(MINTER, uint256(MOST) + 1, 1);
        vm.prank(CENTRAL_BANK);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitOutOfRange.selector, type(uint256).max));
        crown.setLimits(BRIDGE, 1, type(uint256).max);
    }

    function testMoneyOfTheLedgerHasNoMinters() public {
        vm.prank(CENTRAL_BANK);
        _refuses(abi.encodeWithSelector(ISovereignMoney.HomeIsLedger.selector));
        crown.setMinterLimits(MINTER, 1, 1);
    }

    function testABridgeMintsAndBurns() public {
        vm.expectEmit(address(crown));
        emit IERC7802.CrosschainMint(annaPurse, 1000, BRIDGE);
        vm.prank(BRIDGE);
        crown.crosschainMint(annaPurse, 1000);
        vm.expectEmit(address(crown));
        emit IERC7802.CrosschainBurn(annaPurse, 400, BRIDGE);
        vm.prank(BRIDGE);
        crown.crosschainBurn(annaPurse, 400);
        equal(crown.totalSupply(), 600);
        equal(crown.mintingMaxLimitOf(BRIDGE), 1_000_000);
        equal(crown.burningMaxLimitOf(BRIDGE), 1_000_000);
        equal(crown.mintingCurrentLimitOf(BRIDGE), 999_000);
        equal(crown.burningCurrentLimitOf(BRIDGE), 999_600);
    }

    function testABridgeStaysWithinItsLimits() public {
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, BRIDGE, 1_000_000, 1_000_001));
        crown.crosschainMint(annaPurse, 1_000_001);
        vm.prank(CENTRAL_BANK);
        crown.setLimits(BRIDGE, 1000, 10);
        _fund(crown, annaPurse, 1000);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, BRIDGE, 10, 11));
        crown.crosschainBurn(annaPurse, 11);
    }

    function testBoundMoneyArrivesAtKnownWalletsOnly() public {
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, STRANGER));
        crown.crosschainMint(STRANGER, 1);
        _fund(crown, annaPurse, 10);
        _revoke(bank, 0);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.SenderUnknown.selector, annaPurse));
        crown.crosschainBurn(annaPurse, 1);
    }

    function testABurnTakesWhatIsThereAndFree() public {
        _fund(coin, MINTER, 100);
        vm.prank(LICENSEE);
        coin.freezeAmount(MINTER, 40, ORDER);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyFrozen.selector, MINTER, 60, 61));
        coin.burn(MINTER, 61);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, MINTER, 100, 101));
        coin.burn(MINTER, 101);
        vm.prank(MINTER);
        coin.burn(MINTER, 60);
        equal(coin.totalSupply(), 40);
    }

    function testMoreThanThereIsIsNeverBurned() public {
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, MINTER, 0, 1));
        coin.burn(MINTER, 1);
    }

    function testAMinterBurnsOfOthersWhatTheyApproved() public {
        _fund(coin, annaPurse, 100);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientAllowance.selector, MINTER, 0, 10));
        coin.burn(annaPurse, 10);
        vm.prank(annaPurse);
        coin.approve(MINTER, 10);
        vm.prank(MINTER);
        coin.burn(annaPurse, 10);
        equal(coin.balanceOf(annaPurse), 90);
        vm.prank(annaPurse);
        coin.approve(STRANGER, 10);
        vm.prank(STRANGER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitExceeded.selector, STRANGER, 0, 10));
        coin.burn(annaPurse, 10);
    }

    function testNothingIsMintedBeyondTheReserve() public {
        vm.warp(START + 1);
        _attest(500);
        _fund(coin, annaPurse, 500);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ReserveExceeded.selector, 500, 501));
        coin.mint(annaPurse, 1);
        vm.warp(START + 2);
        _attest(400);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ReserveExceeded.selector, 400, 501));
        coin.mint(annaPurse, 1);
    }

    function testABridgeIsBoundByTheReserveToo() public {
        vm.prank(LICENSEE);
        coin.setLimits(BRIDGE, 1000, 1000);
        vm.warp(START + 1);
        _attest(500);
        vm.prank(BRIDGE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ReserveExceeded.selector, 500, 501));
        coin.crosschainMint(annaPurse, 501);
        vm.prank(BRIDGE);
        coin.crosschainMint(annaPurse, 500);
    }

    function testNothingIsMintedOnAnOldAttestation() public {
        vm.warp(START + 30 days);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ReserveNotAttested.selector, START + 30 days));
        coin.mint(annaPurse, 1);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InsufficientBalance.selector, MINTER, 0, 1));
        coin.burn(MINTER, 1);
    }

    function testNothingIsMintedBeforeAnAttestation() public {
        ISovereignMoney.Opening memory opening = _coin();
        opening.currency = 9;
        ISovereignMoney fresh = _create(opening);
        vm.prank(LICENSEE);
        fresh.setMinterLimits(MINTER, 10, 10);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.ReserveNotAttested.selector, 0));
        fresh.mint(annaPurse, 1);
    }

    function testOnlyTheAttestorAttests() public {
        vm.prank(LICENSEE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotAttestor.selector, LICENSEE));
        coin.attestReserve(1, START, START + 1 days);
        vm.prank(ATTESTOR);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotAttestor.selector, ATTESTOR));
        crown.attestReserve(1, START, START + 1 days);
        vm.prank(address(0));
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotAttestor.selector, address(0)));
        coin.attestReserve(1, START, START + 1 days);
    }

    function testAnAttestationHasItsTime() public {
        _refusesAttestation(START, START + 1 days);
        vm.warp(START + 10 days);
        _refusesAttestation(START + 1, START + 10 days);
        _refusesAttestation(START + 10 days + 5 minutes + 1, START + 20 days);
        _refusesAttestation(START + 10 days, START + 50 days + 1);
        vm.prank(ATTESTOR);
        coin.attestReserve(77, START + 10 days + 5 minutes, START + 50 days);
        (uint256 amount, uint64 attestedAt, uint64 validUntil) = coin.reserve();
        equal(amount, 77);
        equal(attestedAt, START + 10 days + 5 minutes);
        equal(validUntil, START + 50 days);
    }

    function testAReserveHasABound() public {
        vm.prank(ATTESTOR);
        _refuses(abi.encodeWithSelector(ISovereignMoney.LimitOutOfRange.selector, uint256(MOST) + 1));
        coin.attestReserve(uint256(MOST) + 1, START + 1, START + 1 days);
    }

    function testThereIsNeverMoreThanALedgerCanHold() public {
        vm.prank(CENTRAL_BANK);
        crown.setLimits(BRIDGE, MOST, MOST);
        vm.prank(CENTRAL_BANK);
        crown.setLimits(MINTER, MOST, MOST);
        _fund(crown, annaPurse, MOST);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.SupplyExceeded.selector, uint256(MOST) + 1));
        crown.crosschainMint(belaPurse, 1);
        vm.prank(annaPurse);
        crown.transfer(belaPurse, MOST);
        equal(crown.balanceOf(belaPurse), MOST);
    }

    function testAPauseStopsMintingAndBurning() public {
        vm.prank(GUARD);
        coin.pause(1 hours);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyPaused.selector));
        coin.mint(annaPurse, 1);
        vm.prank(MINTER);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyPaused.selector));
        coin.burn(MINTER, 1);
        _setMinter(5);
        vm.warp(START + 1);
        _attest(5);
    }

    function _refusesAttestation(uint64 attestedAt, uint64 validUntil) private {
        vm.prank(ATTESTOR);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AttestationOutOfRange.selector, attestedAt, validUntil));
        coin.attestReserve(1, attestedAt, validUntil);
    }

    function _setMinter(uint256 limit) private {
        vm.prank(LICENSEE);
        coin.setMinterLimits(MINTER, limit, 1_000_000);
    }
}
