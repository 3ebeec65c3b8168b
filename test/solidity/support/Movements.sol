// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Hold} from "../../../contracts/types/Hold.sol";
import {Release} from "../../../contracts/types/Release.sol";

/// One movement, as the treasury takes several.
function one(Hold hold) pure returns (Hold[] memory holds) {
    holds = new Hold[](1);
    holds[0] = hold;
}

function one(Release release) pure returns (Release[] memory releases) {
    releases = new Release[](1);
    releases[0] = release;
}
