/** What an answer says, and that nothing of what led to it stays. */
export class Undone<Answer> {
  readonly answer: Answer;

  constructor(answer: Answer) {
    this.answer = answer;
  }
}

/** An answer after which something stays, or nothing. */
export const changed = <Answer>(answer: Answer, is: boolean): Answer | Undone<Answer> =>
  is ? answer : new Undone(answer);
