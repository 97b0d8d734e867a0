// Points in time as the AWS JSON 1.1 protocol writes them: seconds since 1970, with milliseconds as fraction.

/** From milliseconds. */
export const seconds = (milliseconds: number): number => Math.round(milliseconds) / 1000;
