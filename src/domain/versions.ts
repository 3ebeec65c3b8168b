// Members of a network upgrade on different days, and so do a relay and its wallet. What they say to each other has a
// version, which is raised only for what a reader of the one before would get wrong; docs/versions.md has the rules. The
// API's and that between relays stand in their paths (/v1, /peer/v1). These stand in the body, which is signed:

/** Of the requests that a relay makes to its wallet and to liquidity providers. */
export const CONNECTOR_VERSION = 1;
/** Of what webhooks carry. */
export const WEBHOOK_VERSION = 1;

/** What the answer to an unknown version is called everywhere. It names the versions that are understood. */
export const UNSUPPORTED_VERSION = "unsupported-version";
/** More would be no answer of anybody who wants to be understood. */
export const MAX_VERSIONS_TOLD = 32;
