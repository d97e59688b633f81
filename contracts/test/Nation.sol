// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Governance} from "../src/Governance.sol";
import {StatusRegistry} from "../src/StatusRegistry.sol";
import {TrustRegistry} from "../src/TrustRegistry.sol";
import {Vm} from "./Vm.sol";

interface DIDRegistry {
    function identityOwner(address identity) external view returns (address owner);
    function changeOwner(address identity, address newOwner) external;
    function changeOwnerSigned(address identity, uint8 v, bytes32 r, bytes32 s, address newOwner) external;
}

/// @title People
/// @notice The people of the tests, what they do most often, and assertions.
abstract contract People {
    error Unequal(string left, string right);
    error Untrue();

    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    uint64 internal constant START = 1_800_000_000;
    uint64 internal constant YEAR = 365 days;
    bytes32 internal constant LICENCE = keccak256("licence");
    bytes32 internal constant PERMIT = keccak256("permit");
    bytes32 internal constant DIGEST = keccak256("digest");

    address internal constant ADMIN = address(0xAD);
    address internal constant ROOT_HOLDER = address(0x1001);
    address internal constant GUARD = address(0x6A);
    address internal constant STRANGER = address(0x57);
    address internal constant DELEGATE = address(0xDE);
    address internal constant BUYER = address(0xB0);
    // Identities, each its own owner at first.
    address internal constant MINISTRY = address(0xA1);
    address internal constant AGENCY = address(0xA2);
    address internal constant OFFICE = address(0xA3);
    address internal constant BRANCH = address(0xA4);
    address internal constant DESK = address(0xA5);
    address internal constant ANNEX = address(0xA6);

    DIDRegistry internal dids;
    Governance internal governance;
    StatusRegistry internal status;
    TrustRegistry internal trust;

    function _pause(address target, uint32 duration) internal {
        vm.prank(GUARD);
        governance.pause(target, duration);
    }

    function _changeOwner(address identity, address from, address to) internal {
        vm.prank(from);
        dids.changeOwner(identity, to);
    }

    /// @dev Identity zero has no key, but the registry of DIDs takes a signature that recovers to nobody for its owner's.
    function _claimIdentityZero(address claimant) internal {
        dids.changeOwnerSigned(address(0), 0, bytes32(0), bytes32(0), claimant);
        equal(dids.identityOwner(address(0)), claimant);
    }

    function _refuses(bytes memory reason) internal {
        vm.expectRevert(reason);
    }

    function _now() internal view returns (uint64 timestamp) {
        return uint64(block.timestamp);
    }

    function one(uint256 value) internal pure returns (uint256[] memory array) {
        array = new uint256[](1);
        array[0] = value;
    }

    function one8(uint8 value) internal pure returns (uint8[] memory array) {
        array = new uint8[](1);
        array[0] = value;
    }

    function one32(uint256 value) internal pure returns (uint32[] memory array) {
        array = new uint32[](1);
        // forge-lint: disable-next-line(unsafe-typecast)
        array[0] = uint32(value);
    }

    function isTrue(bool value) internal pure {
        if (!value) revert Untrue();
    }

    function isFalse(bool value) internal pure {
        if (value) revert Untrue();
    }

    function equal(uint256 left, uint256 right) internal pure {
        if (left != right) revert Unequal(vm.toString(left), vm.toString(right));
    }

    function equal(address left, address right) internal pure {
        if (left != right) revert Unequal(vm.toString(left), vm.toString(right));
    }

    function equal(bytes32 left, bytes32 right) internal pure {
        if (left != right) revert Unequal(vm.toString(left), vm.toString(right));
    }

    function within(uint256 value, uint256 low, uint256 high) internal pure returns (uint256 bounded) {
        return low + value % (high - low + 1);
    }
}

/// @title Nation
/// @notice The contracts in the order of a real deployment, wired as an administrator wires them.
abstract contract Nation is People {
    function setUp() public virtual {
        vm.warp(START);
        dids = DIDRegistry(_deployDidRegistry());
        governance = new Governance(ADMIN);
        status = new StatusRegistry(address(dids), address(governance));
        trust = new TrustRegistry(address(dids), address(governance));
        _wire();
    }

    /// @dev What an administrator does after deployment.
    function _wire() internal {
        bytes4[] memory selectors = trust.rootFunctions();
        uint64 root = governance.ROOT();
        uint64 guardian = governance.GUARDIAN();
        vm.prank(ADMIN);
        governance.setTargetFunctionRole(address(trust), selectors, root);
        vm.prank(ADMIN);
        governance.grantRole(guardian, GUARD, 0);
        vm.prank(ADMIN);
        governance.proposeRoot(ROOT_HOLDER);
        vm.prank(ROOT_HOLDER);
        governance.acceptRoot();
    }

    function _deployDidRegistry() internal returns (address deployed) {
        bytes memory code = vm.parseJsonBytes(vm.readFile("build/EthereumDIDRegistry.json"), ".bytecode");
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
        }
        isTrue(deployed != address(0));
    }
}
