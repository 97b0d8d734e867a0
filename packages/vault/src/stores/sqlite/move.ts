export interface MoveFrom {
  readonly path: string;
}
export async function moveRecords(_path: string, _from: MoveFrom, _options: object): Promise<void> {}
