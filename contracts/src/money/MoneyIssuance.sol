// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC7802} from "@openzeppelin/contracts/interfaces/draft-IERC7802.sol";
import {ISovereignMoney} from "../ISovereignMoney.sol";
import {Caps} from "./Caps.sol";
import {MoneyTransfers} from "./MoneyTransfers.sol";

/// @title MoneyIssuance
/// @notice How money is made and taken back: minters, bridges, limits and the reserve. See ISovereignMoney.
abstract contract MoneyIssuance is MoneyTransfers {
    /// @notice How long after its time an attestation can be relied on, in seconds: a month and some days to audit it.
    uint64 public constant MAX_ATTESTATION = 40 days;
    /// @notice How far ahead of the block's time the attestor's clock may be, in seconds; see Governed.
    uint64 public constant CLOCK_TOLERANCE = 5 minutes;

    /// @inheritdoc ISovereignMoney
    function setLimits(address bridge, uint256 mintingLimit, uint256 burningLimit) external onlyIssuer {
        _setLimits(_bridges, bridge, mintingLimit, burningLimit);
        emit BridgeLimitsSet(mintingLimit, burningLimit, bridge);
    }

    /// @inheritdoc ISovereignMoney
    function setMinterLimits(address minter, uint256 mintingLimit, uint256 burningLimit) external onlyIssuer {
        if (_issue.home == Home.LEDGER) revert HomeIsLedger();
        _setLimits(_minters, minter, mintingLimit, burningLimit);
        emit MinterLimitsSet(minter, mintingLimit, burningLimit);
    }

    /// @inheritdoc ISovereignMoney
    function mint(address to, uint256 amount) external {
        _mint(_minters[msg.sender].minting, to, amount);
        emit Minted(msg.sender, to, amount);
    }

    /// @inheritdoc ISovereignMoney
    function burn(address from, uint256 amount) external {
        if (from != msg.sender) _spend(from, msg.sender, amount);
        _burn(_minters[msg.sender].burning, from, amount);
        emit Burned(msg.sender, from, amount);
    }

    /// @inheritdoc IERC7802
    function crosschainMint(address to, uint256 amount) external {
        _mint(_bridges[msg.sender].minting, to, amount);
        emit CrosschainMint(to, amount, msg.sender);
    }

    /// @inheritdoc IERC7802
    function crosschainBurn(address from, uint256 amount) external {
        _burn(_bridges[msg.sender].burning, from, amount);
        emit CrosschainBurn(from, amount, msg.sender);
    }

    /// @inheritdoc ISovereignMoney
    function attestReserve(uint256 amount, uint64 attestedAt, uint64 validUntil) external {
        if (msg.sender != _attestor) revert NotAttestor(msg.sender);
        bool early = attestedAt <= _issue.attestedAt || validUntil <= block.timestamp;
        if (early || attestedAt > block.timestamp + CLOCK_TOLERANCE || validUntil > attestedAt + MAX_ATTESTATION) {
            revert AttestationOutOfRange(attestedAt, validUntil);
        }
        _issue.reserve = _limit(amount);
        // forge-lint: disable-next-line(unsafe-typecast)
        _issue.attestedAt = uint40(attestedAt);
        // forge-lint: disable-next-line(unsafe-typecast)
        _issue.validUntil = uint40(validUntil);
        emit ReserveAttested(msg.sender, amount, attestedAt, validUntil);
    }

    /// @inheritdoc ISovereignMoney
    function reserve() external view returns (uint256 amount, uint64 attestedAt, uint64 validUntil) {
        return (_issue.reserve, _issue.attestedAt, _issue.validUntil);
    }

    /// @inheritdoc ISovereignMoney
    function mintingMaxLimitOf(address bridge) external view returns (uint256 limit) {
        return _bridges[bridge].minting.most;
    }

    /// @inheritdoc ISovereignMoney
    function burningMaxLimitOf(address bridge) external view returns (uint256 limit) {
        return _bridges[bridge].burning.most;
    }

    /// @inheritdoc ISovereignMoney
    function mintingCurrentLimitOf(address bridge) external view returns (uint256 limit) {
        return _left(_bridges[bridge].minting);
    }

    /// @inheritdoc ISovereignMoney
    function burningCurrentLimitOf(address bridge) external view returns (uint256 limit) {
        return _left(_bridges[bridge].burning);
    }

    /// @inheritdoc ISovereignMoney
    function minterLimitsOf(address minter)
        external
        view
        returns (uint256 mintingLimit, uint256 mintingLeft, uint256 burningLimit, uint256 burningLeft)
    {
        Limits storage limits = _minters[minter];
        return (limits.minting.most, _left(limits.minting), limits.burning.most, _left(limits.burning));
    }

    function _mint(Limit storage limit, address to, uint256 amount) private {
        uint256 head = _headWord();
        _requireRunning(head);
        if (amount == 0) revert ZeroAmount();
        _use(limit, amount);
        Issue memory issue = _issue;
        // A limit is at most MAX_SUPPLY, so that neither sum can overflow.
        if (!Caps.fits(issue.supply, amount, MAX_SUPPLY)) revert SupplyExceeded(issue.supply + amount);
        if (issue.home == Home.CHAIN) {
            if (block.timestamp >= issue.validUntil) revert ReserveNotAttested(issue.validUntil);
            bool covered = Caps.fits(issue.supply, amount, issue.reserve);
            if (!covered) revert ReserveExceeded(issue.reserve, issue.supply + amount);
        }
        // forge-lint: disable-next-line(unsafe-typecast)
        _issue.supply = issue.supply + uint64(amount);
        _give(head, address(0), to, amount);
    }

    function _burn(Limit storage limit, address from, uint256 amount) private {
        uint256 head = _headWord();
        _requireRunning(head);
        if (amount == 0) revert ZeroAmount();
        _use(limit, amount);
        _takeAway(head, from, amount);
    }

    function _use(Limit storage limit, uint256 amount) private {
        uint256 left = _left(limit);
        if (amount > left) revert LimitExceeded(msg.sender, left, amount);
        // forge-lint: disable-next-line(unsafe-typecast)
        limit.left = uint64(left - amount);
        limit.at = uint64(block.timestamp);
    }

    function _setLimits(
        mapping(address account => Limits) storage all,
        address account,
        uint256 mintingLimit,
        uint256 burningLimit
    ) private {
        if (account == address(0)) revert ZeroAddress();
        _setLimit(all[account].minting, _limit(mintingLimit));
        _setLimit(all[account].burning, _limit(burningLimit));
    }

    function _setLimit(Limit storage limit, uint64 most) private {
        // forge-lint: disable-next-line(unsafe-typecast)
        limit.left = uint64(Caps.leftAfterChange(limit.most, _left(limit), most));
        limit.most = most;
        limit.at = uint64(block.timestamp);
    }

    function _left(Limit memory limit) private view returns (uint256 left) {
        return Caps.leftOf(limit.most, limit.left, Caps.refillOf(limit.most, block.timestamp - limit.at));
    }

    function _limit(uint256 amount) private pure returns (uint64 limit) {
        if (amount > MAX_SUPPLY) revert LimitOutOfRange(amount);
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(amount);
    }
}
