// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC3009, IERC3009Cancel} from "@openzeppelin/contracts/interfaces/draft-IERC3009.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {IPolicyEngine} from "../src/IPolicyEngine.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";
import {SovereignMoney} from "../src/SovereignMoney.sol";
import {Moneys} from "./Moneys.sol";

/// @notice A wallet that is a contract: what its owner signed, it signed.
contract ContractWallet is IERC1271 {
    address private immutable OWNER;

    constructor(address owner) {
        OWNER = owner;
    }

    function isValidSignature(bytes32 digest, bytes memory signature) external view returns (bytes4 magic) {
        return ECDSA.recover(digest, signature) == OWNER ? IERC1271.isValidSignature.selector : bytes4(0);
    }
}

/// @notice EIP-2612 and EIP-3009: what is signed counts once, here, in time, and for whom it was meant.
contract MoneySignedTest is Moneys {
    bytes32 private constant NONCE = keccak256("nonce");
    bytes32 private constant CANCEL = keccak256("CancelAuthorization(address authorizer,bytes32 nonce)");
    uint256 private _after;
    uint256 private _before;

    function setUp() public override {
        super.setUp();
        _fund(coin, annaPurse, 1000);
        _fund(crown, annaPurse, 1000);
        (_after, _before) = (block.timestamp - 1, block.timestamp + 1 days);
    }

    function testAPermitApproves() public {
        (uint8 v, bytes32 r, bytes32 s) = _split(_signPermit(ANNA_SECRET, coin, STRANGER, 300, block.timestamp));
        coin.permit(annaPurse, STRANGER, 300, block.timestamp, v, r, s);
        equal(coin.allowance(annaPurse, STRANGER), 300);
        equal(coin.nonces(annaPurse), 1);
    }

    function testAPermitReplayedIsRefused() public {
        bytes memory signature = _signPermit(ANNA_SECRET, coin, STRANGER, 300, block.timestamp);
        coin.permit(annaPurse, STRANGER, 300, block.timestamp, signature);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.permit(annaPurse, STRANGER, 300, block.timestamp, signature);
    }

    function testAPermitOfAnotherIsRefused() public {
        bytes memory signature = _signPermit(BELA_SECRET, coin, STRANGER, 300, block.timestamp);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.permit(annaPurse, STRANGER, 300, block.timestamp, signature);
    }

    function testAPermitForOtherMoneyOrAnotherChainIsRefused() public {
        bytes memory signature = _signPermit(ANNA_SECRET, crown, STRANGER, 300, block.timestamp);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.permit(annaPurse, STRANGER, 300, block.timestamp, signature);
        signature = _signPermit(ANNA_SECRET, coin, STRANGER, 300, block.timestamp);
        signing.chainId(777);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.permit(annaPurse, STRANGER, 300, block.timestamp, signature);
    }

    function testALatePermitIsRefused() public {
        bytes memory signature = _signPermit(ANNA_SECRET, coin, STRANGER, 300, START);
        vm.warp(START + 1);
        _refuses(abi.encodeWithSelector(ISovereignMoney.DeadlinePassed.selector, START));
        coin.permit(annaPurse, STRANGER, 300, START, signature);
    }

    function testAPermitForNobodyIsRefused() public {
        bytes memory signature = _signPermit(ANNA_SECRET, coin, address(0), 300, START);
        _refuses(abi.encodeWithSelector(IERC20Errors.ERC20InvalidSpender.selector, address(0)));
        coin.permit(annaPurse, address(0), 300, START, signature);
    }

    function testNobodyPermitsNothing() public {
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.permit(address(0), STRANGER, 300, START, 27, bytes32(0), bytes32(0));
    }

    function testAChangedPermitIsRefused(uint256 value, uint8 place) public {
        bytes memory signature = _signPermit(ANNA_SECRET, coin, STRANGER, 300, START);
        if (value == 300) signature[place % 64] ^= 0x01;
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.permit(annaPurse, STRANGER, value, START, signature);
    }

    function testASignatureWithAHighSIsRefused() public {
        (uint8 v, bytes32 r, bytes32 s) = _split(_signPermit(ANNA_SECRET, coin, STRANGER, 300, START));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.permit(annaPurse, STRANGER, 300, START, v == 27 ? 28 : 27, r, bytes32(order - uint256(s)));
    }

    function testAnAuthorizationTransfers() public {
        (uint8 v, bytes32 r, bytes32 s) =
            _split(_signAuthorization("Transfer", ANNA_SECRET, coin, STRANGER, 300, NONCE));
        vm.expectEmit(address(coin));
        emit IERC3009.AuthorizationUsed(annaPurse, NONCE);
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, v, r, s);
        equal(coin.balanceOf(STRANGER), 300);
        isTrue(coin.authorizationState(annaPurse, NONCE));
    }

    function testAnAuthorizationReplayedIsRefused() public {
        bytes memory signature = _signAuthorization("Transfer", ANNA_SECRET, coin, STRANGER, 300, NONCE);
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        bytes memory used =
            abi.encodeWithSelector(ISovereignMoney.AuthorizationUsedOrCanceled.selector, annaPurse, NONCE);
        _refuses(used);
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        vm.prank(STRANGER);
        _refuses(used);
        coin.receiveWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        _refuses(used);
        coin.cancelAuthorization(annaPurse, NONCE, signature);
    }

    function testAnAuthorizationThatIsPaidOutMayFailAndServeLater() public {
        bytes memory signature = _signAuthorization("Transfer", ANNA_SECRET, crown, STRANGER, 300, NONCE);
        _refuses(abi.encodeWithSelector(IPolicyEngine.ReceiverUnknown.selector, STRANGER));
        crown.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        isFalse(crown.authorizationState(annaPurse, NONCE));
    }

    function testAnEarlyOrLateAuthorizationIsRefused() public {
        bytes memory signature = _signAuthorization("Transfer", ANNA_SECRET, coin, STRANGER, 300, NONCE);
        vm.warp(_after);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AuthorizationNotYetValid.selector, _after));
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        vm.warp(_before);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AuthorizationExpired.selector, _before));
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
    }

    function testAnAuthorizationOfAnotherKindOrSignerIsRefused() public {
        bytes memory signature = _signAuthorization("Receive", ANNA_SECRET, coin, STRANGER, 300, NONCE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        signature = _signAuthorization("Transfer", BELA_SECRET, coin, STRANGER, 300, NONCE);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        isFalse(coin.authorizationState(annaPurse, NONCE));
    }

    function testOnlyThePayeeReceives() public {
        bytes memory signature = _signAuthorization("Receive", ANNA_SECRET, coin, STRANGER, 300, NONCE);
        (uint8 v, bytes32 r, bytes32 s) = _split(signature);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotPayee.selector, address(this), STRANGER));
        coin.receiveWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, v, r, s);
        _refuses(abi.encodeWithSelector(ISovereignMoney.NotPayee.selector, address(this), STRANGER));
        coin.receiveWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        vm.prank(STRANGER);
        coin.receiveWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, v, r, s);
        equal(coin.balanceOf(STRANGER), 300);
        signature = _signAuthorization("Receive", ANNA_SECRET, coin, STRANGER, 300, ORDER);
        vm.prank(STRANGER);
        coin.receiveWithAuthorization(annaPurse, STRANGER, 300, _after, _before, ORDER, signature);
        equal(coin.balanceOf(STRANGER), 600);
    }

    function testACancelledAuthorizationIsRefused() public {
        bytes memory signature = _signAuthorization("Transfer", ANNA_SECRET, coin, STRANGER, 300, NONCE);
        bytes32 message = keccak256(abi.encode(CANCEL, annaPurse, NONCE));
        (uint8 v, bytes32 r, bytes32 s) = _split(_signDigest(ANNA_SECRET, coin, message));
        vm.expectEmit(address(coin));
        emit IERC3009Cancel.AuthorizationCanceled(annaPurse, NONCE);
        coin.cancelAuthorization(annaPurse, NONCE, v, r, s);
        _refuses(abi.encodeWithSelector(ISovereignMoney.AuthorizationUsedOrCanceled.selector, annaPurse, NONCE));
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
    }

    function testOnlyTheSignerCancels() public {
        bytes memory signature = _signDigest(BELA_SECRET, coin, keccak256(abi.encode(CANCEL, annaPurse, NONCE)));
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.cancelAuthorization(annaPurse, NONCE, signature);
    }

    function testAPauseStopsAuthorizationsButNotCancelling() public {
        bytes memory signature = _signAuthorization("Transfer", ANNA_SECRET, coin, STRANGER, 300, NONCE);
        vm.prank(GUARD);
        coin.pause(1 hours);
        _refuses(abi.encodeWithSelector(ISovereignMoney.MoneyPaused.selector));
        coin.transferWithAuthorization(annaPurse, STRANGER, 300, _after, _before, NONCE, signature);
        bytes32 message = keccak256(abi.encode(CANCEL, annaPurse, NONCE));
        coin.cancelAuthorization(annaPurse, NONCE, _signDigest(ANNA_SECRET, coin, message));
        isTrue(coin.authorizationState(annaPurse, NONCE));
    }

    function testAContractSignsByErc1271() public {
        address wallet = address(new ContractWallet(annaPurse));
        _fund(coin, wallet, 500);
        bytes32 kind = keccak256("Permit(address owner,address spender,uint256 value,uint256 nonce,uint256 deadline)");
        bytes memory signature =
            _signDigest(ANNA_SECRET, coin, keccak256(abi.encode(kind, wallet, STRANGER, 300, 0, START)));
        coin.permit(wallet, STRANGER, 300, START, signature);
        equal(coin.allowance(wallet, STRANGER), 300);
        kind = keccak256(
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 message = keccak256(abi.encode(kind, wallet, STRANGER, 200, _after, _before, NONCE));
        signature = _signDigest(ANNA_SECRET, coin, message);
        coin.transferWithAuthorization(wallet, STRANGER, 200, _after, _before, NONCE, signature);
        equal(coin.balanceOf(STRANGER), 200);
        message = keccak256(abi.encode(kind, wallet, STRANGER, 200, _after, _before, ORDER));
        signature = _signDigest(BELA_SECRET, coin, message);
        _refuses(abi.encodeWithSelector(ISovereignMoney.InvalidSignature.selector));
        coin.transferWithAuthorization(wallet, STRANGER, 200, _after, _before, ORDER, signature);
    }

    function testTheDomainIsSaidAsErc5267() public view {
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address place,,) =
            IERC5267(address(coin)).eip712Domain();
        isTrue(fields == 0x0f);
        bytes32 kind = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        equal(
            coin.DOMAIN_SEPARATOR(),
            keccak256(abi.encode(kind, keccak256(bytes(name)), keccak256(bytes(version)), chainId, place))
        );
        equal(place, address(coin));
        equal(chainId, block.chainid);
        equal(keccak256(bytes(version)), keccak256("1"));
        equal(keccak256(bytes(SovereignMoney(address(coin)).version())), keccak256("1"));
    }
}
