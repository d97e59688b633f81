// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenceRegistry} from "../src/ILicenceRegistry.sol";
import {ITitleRegistry} from "../src/ITitleRegistry.sol";
import {Registers} from "./Registers.sol";

/// @notice What one transaction on a token costs. Each test is one call; everything it builds on stands in setUp, so that
///         storage is cold. `.gas-snapshot` holds the figures without the 21,000 a transaction costs by itself.
contract RegistersGasTest is Registers {
    uint128 private _land;
    uint128 private _flats;
    uint256 private _id;
    uint256 private _flat;

    function setUp() public override {
        super.setUp();
        (_land, _flats) = (keyOf(AGENCY, LAND), keyOf(AGENCY, FLATS));
        (_id, _flat) = (idOf(LAND, ENTRY), idOf(FLATS, ENTRY));
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, LAND, LICENCE, BASE, false, 0, 0);
        vm.prank(AGENCY);
        titles.openRegister(AGENCY, FLATS, LICENCE, BASE, true, REALM, 2);
        vm.prank(AGENCY);
        titles.mintMany(_land, title(ENTRY, ALICE));
        vm.prank(AGENCY);
        titles.mintMany(_flats, title(ENTRY, ALICE));
        vm.prank(AGENCY);
        licences.openRegister(AGENCY, LAND, LICENCE, BASE);
        vm.prank(AGENCY);
        licences.mintMany(_land, licence(ENTRY, AGENCY, 0));
        vm.prank(AGENCY);
        assets.openRegister(AGENCY, LAND, LICENCE, BASE);
        vm.prank(AGENCY);
        assets.openClass(_land, class(ENTRY, 1000, true));
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(ALICE), one128(600));
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), one128(1));
    }

    function testGasMintTitle() public {
        vm.prank(AGENCY);
        titles.mintMany(_land, title(2, BOB));
    }

    function testGasMint100TitlesInCustody() public {
        ITitleRegistry.NewTitle[] memory many = new ITitleRegistry.NewTitle[](100);
        for (uint128 i = 0; i < 100; ++i) {
            many[i] = ITitleRegistry.NewTitle(i + 10, AGENCY, 0, DIGEST);
        }
        vm.prank(AGENCY);
        titles.mintMany(_land, many);
    }

    function testGasTransferTitleByRegister() public {
        vm.prank(AGENCY);
        titles.transferByRegister(_id, ALICE, BOB, OTHER);
    }

    function testGasTransferTitleBetweenWallets() public {
        vm.prank(ALICE);
        titles.transferFrom(ALICE, BOB, _flat);
    }

    function testGasFreezeTitle() public {
        vm.prank(AGENCY);
        titles.freeze(_id, CAVEAT);
    }

    function testGasMint100LicencesInCustody() public {
        ILicenceRegistry.NewLicence[] memory many = new ILicenceRegistry.NewLicence[](100);
        for (uint128 i = 0; i < 100; ++i) {
            many[i] = ILicenceRegistry.NewLicence(i + 10, AGENCY, START + YEAR, DIGEST);
        }
        vm.prank(AGENCY);
        licences.mintMany(_land, many);
    }

    function testGasRevokeLicence() public {
        vm.prank(AGENCY);
        licences.revoke(one(_id));
    }

    function testGasLicenceIsInForce() public view {
        isTrue(licences.isInForce(_id));
    }

    function testGasIssueAssetToAKnownHolder() public {
        vm.prank(AGENCY);
        assets.issueMany(_id, oneAddress(BOB), one128(10));
    }

    function testGasTransferAssetBetweenWallets() public {
        vm.prank(ALICE);
        assets.safeTransferFrom(ALICE, BOB, _id, 10, "");
    }
}
