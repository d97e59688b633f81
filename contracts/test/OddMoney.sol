// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ISovereignMoney} from "../src/ISovereignMoney.sol";

/// @notice A token that takes a unit of every transfer for itself, and whose transfers can be made to answer no.
contract OddMoney is ERC20("Odd", "ODD") {
    ISovereignMoney.Home public constant home = ISovereignMoney.Home.CHAIN;
    uint256 public immutable fee;
    bool public refusing;

    constructor(uint256 fee_) {
        fee = fee_;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function refuse() external {
        refusing = true;
    }

    function transfer(address to, uint256 amount) public override returns (bool done) {
        return !refusing && super.transfer(to, amount);
    }

    function transferFrom(address from, address to, uint256 amount) public override returns (bool done) {
        if (fee > 0) super.transferFrom(from, address(this), fee);
        return super.transferFrom(from, to, amount - fee);
    }
}

/// @notice A wallet that is a contract (ERC-1271): every digest is good that its owner once said is.
contract ContractWallet {
    mapping(bytes32 digest => bool) private _good;

    function say(bytes32 digest) external {
        _good[digest] = true;
    }

    function call(address target, bytes calldata data) external {
        (bool done,) = target.call(data);
        require(done);
    }

    function isValidSignature(bytes32 digest, bytes calldata) external view returns (bytes4 answer) {
        return _good[digest] ? this.isValidSignature.selector : bytes4(0);
    }

    function onERC1155Received(address, address, uint256, uint256, bytes calldata) external pure returns (bytes4) {
        return this.onERC1155Received.selector;
    }
}
