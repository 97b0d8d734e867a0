// Names of regions, as AWS forms them: eu-west-1, us-gov-east-1.

/** The form of a region's name. */
export const REGION_NAME = /^(?:[a-z]+-){2,3}\d+$/;

/** AWS takes no longer one (KMS API Reference, ReplicateKey). */
const MAX_LENGTH = 32;

/** Whether a text can be the name of a region; whether there is one is another matter. */
export const isRegionName = (text: string): boolean => text.length <= MAX_LENGTH && REGION_NAME.test(text);
