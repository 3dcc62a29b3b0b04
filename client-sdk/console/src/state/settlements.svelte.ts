import { api, body, type Conflict, type ConflictRow } from '../api/client';
import { Problem } from '../api/problem';
import { t, tCode } from '../i18n';
import { fieldValue } from '$ui/format/field';
import { notices } from '$ui/state/notices.svelte';

/** A conflict of a visit, and what is told beside it. */
export interface Disputed {
  visit: string;
  beat?: string | null | undefined;
  conflict: Conflict;
  row?: ConflictRow | undefined;
}

/** One whose settlement was taken back: the next choice takes the place of that change. */
export interface Reopened extends Disputed {
  insteadOf: string;
}

/**
 * Settlements taken back in this browser. What was written stays written: the value from before is put by one edit more, and the
 * choice is offered again here until somebody makes it. Nobody else is asked: in the log the field has one value.
 */
class Settlements {
  reopened = $state.raw<Reopened[]>([]);

  /** Settles a conflict, or settles it anew. */
  async settle(disputed: Disputed, value: unknown, insteadOf?: string): Promise<void> {
    const change = await this.#put(disputed, value, insteadOf);
    this.#forget(disputed);
    const settlement = change ?? insteadOf;
    const { field } = disputed.conflict;
    notices.say(
      t('conflicts.resolved', { value: fieldValue(field, value) }),
      settlement ? { text: t('conflicts.undo'), run: () => this.#takeBack(disputed, settlement) } : null,
    );
  }

  async #takeBack(disputed: Disputed, settlement: string): Promise<void> {
    const { field, values } = disputed.conflict;
    const shown = values[0]?.value;
    try {
      const change = await this.#put(disputed, shown, settlement);
      this.reopened = [{ ...disputed, insteadOf: change ?? settlement }, ...this.reopened];
      notices.say(t('conflicts.taken_back', { value: fieldValue(field, shown) }));
    } catch (thrown) {
      const { code } = Problem.from(thrown);
      notices.say(tCode('problem', code) ?? t('problem.other', { code }));
    }
  }

  /** The change that was written; none where the value is what it was. */
  async #put(
    { visit, beat, conflict: { field } }: Disputed,
    value: unknown,
    insteadOf?: string,
  ): Promise<string | null> {
    const params = { path: { id: visit }, ...(beat && { query: { beat } }) };
    const asked = { field, value, ...(insteadOf && { instead_of: insteadOf }) };
    const { change } = await body(api.POST('/v1/visits/{id}/resolve', { params, body: asked }));
    return change ?? null;
  }

  #forget({ visit, conflict: { field } }: Disputed): void {
    this.reopened = this.reopened.filter((one) => one.visit !== visit || one.conflict.field !== field);
  }
}

export const settlements = new Settlements();
