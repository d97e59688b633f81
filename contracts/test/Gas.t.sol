// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Nation} from "./Nation.sol";

/// @notice What one transaction costs. Each test is one call; everything it builds on stands in setUp, so that storage is
///         cold. `.gas-snapshot` holds the figures without the 21,000 a transaction costs by itself.
contract GasTest is Nation {
    uint32 private constant LENGTH = 131_072;
    uint256 private constant FULL = type(uint256).max;
    string private constant URL = "https://agency.example/status/4";

    function setUp() public override {
        super.setUp();
        _open(1, 1, 0);
        _open(2, 2, 0);
        _open(4, 1, 1);
        (uint32[] memory words, uint256[] memory masks) = _words(64, 1);
        vm.prank(AGENCY);
        status.setBits(AGENCY, 1, words, masks);
        vm.prank(AGENCY);
        status.setBits(AGENCY, 2, words, masks);
        vm.prank(AGENCY);
        status.anchor(AGENCY, 4, 1, DIGEST, START, URL);
        vm.prank(ROOT_HOLDER);
        trust.accredit(MINISTRY, LICENCE, START, START + YEAR, 4);
        vm.prank(MINISTRY);
        trust.accreditBelow(MINISTRY, OFFICE, LICENCE, START, START + YEAR, 3);
    }

    function testGasOpenList() public {
        _open(5, 1, 0);
    }

    function testGasRevokeFirstOfAWord() public {
        vm.prank(AGENCY);
        status.setBits(AGENCY, 1, one32(100), one(1));
    }

    function testGasRevokeAnotherOfAWord() public {
        vm.prank(AGENCY);
        status.setBits(AGENCY, 1, one32(0), one(2));
    }

    function testGasRevoke64FullWords() public {
        (uint32[] memory words, uint256[] memory masks) = _words(64, FULL);
        vm.prank(AGENCY);
        status.setBits(AGENCY, 1, words, masks);
    }

    function testGasReinstateOne() public {
        vm.prank(AGENCY);
        status.clearBits(AGENCY, 2, one32(0), one(1));
    }

    function testGasAnchor() public {
        vm.prank(AGENCY);
        status.anchor(AGENCY, 4, 2, keccak256("second"), START, URL);
    }

    function testGasAccredit() public {
        vm.prank(ROOT_HOLDER);
        trust.accredit(AGENCY, LICENCE, START, START + YEAR, 0);
    }

    function testGasAccreditBelow() public {
        vm.prank(MINISTRY);
        trust.accreditBelow(MINISTRY, AGENCY, LICENCE, START, START + YEAR, 0);
    }

    function testGasEndAccreditation() public {
        vm.prank(ROOT_HOLDER);
        trust.endAccreditation(address(0), MINISTRY, LICENCE);
    }

    function testGasIsAccreditedOneLinkDown() public view {
        isTrue(trust.isAccredited(OFFICE, LICENCE, START));
    }

    function testGasDistrustKey() public {
        vm.prank(ROOT_HOLDER);
        trust.distrustKey(AGENCY, DIGEST, START);
    }

    function testGasAdmitSchema() public {
        vm.prank(ROOT_HOLDER);
        trust.admitSchema(LICENCE, DIGEST);
    }

    function _open(uint256 list, uint8 purpose, uint8 mode) private {
        vm.prank(AGENCY);
        status.openLists(AGENCY, one(list), one8(purpose), one8(mode), one32(LENGTH));
    }

    function _words(uint32 count, uint256 mask) private pure returns (uint32[] memory words, uint256[] memory masks) {
        words = new uint32[](count);
        masks = new uint256[](count);
        for (uint32 i = 0; i < count; ++i) {
            (words[i], masks[i]) = (i, mask);
        }
    }
}
