// Names of regions, as AWS forms them: eu-west-1, us-gov-east-1.

/** The form of a region's name, at most 32 characters. Source: KMS API Reference, ReplicateKey. */
export const REGION_NAME: RegExp = /^(?=.{1,32}$)(?:[a-z]+-){2,3}\d+$/;

/** What is told of a region's name that has another form. */
export const REGION_NAME_RULE = "must be a region's name, such as eu-west-1";

/** Whether a text can be the name of a region; whether there is one is another matter. */
export const isRegionName = (text: string): boolean => REGION_NAME.test(text);
