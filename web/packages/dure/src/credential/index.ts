/**
 * Credentials: read, show, verify, and answer sites that ask for them. docs/sdk-typescript.md is the guide, docs/credentials.md what they are.
 *
 * @module
 */
export { type Audience, type Credential, type Field, present, readCredential } from "./credential.js";
export { type Answer, type Query, choose, parseQuery } from "./dcql.js";
export type { Json, JsonObject } from "./json.js";
export { type HolderKey, holderKey } from "./jws.js";
export { type Id, idName, listName, parseId, schemaName } from "./name.js";
export { type PresentationRequest, answerRequest, fetchRequest, refuseRequest } from "./openid4vp.js";
export { type Check, type VerifiedCredential, verifyCredential } from "./verify.js";
