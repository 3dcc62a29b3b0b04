import { failed, type Failed } from '$ui/state/failed';
import { today } from '$ui/format/calendar';
import { now } from '$ui/state/now.svelte';
import { preferences } from '$ui/state/preferences.svelte';
import { wording } from '$ui/state/wording.svelte';
import type { Status } from '../../../wasm/src/types.ts';
import { startDevice, type Calls, type DeviceEvent } from '../device';
import { missing } from '../device/support';
import { askDeployment, recallDeployment, rememberDeployment, type Deployment } from './deployment';
import type { Reckoning } from './stops';

/** As long as the server has not said. */
const INTERVAL_DAYS = 365;

/** What the device is, as all pages share it. */
class Phone {
  status = $state.raw<Status | null>(null);
  /** Why not even that is known. */
  problem = $state.raw<Failed | null>(null);
  deployment = $state.raw<Deployment | null>(recallDeployment());
  /** Another deployment answers at this address: what is here is none of its business, nor are its name and its colour ours. */
  isElsewhere = $state(false);
  /** Rises with every change, by whichever tab. */
  changes = $state(0);
  /** Rises with every visit that is begun or given up. */
  drafted = $state(0);
  /** Entries that came and went in the sync that is under way. */
  progress = $state.raw<{ pulled: number; pushed: number } | null>(null);
  /** Where the browser lacks what it needs nothing is started, and no page asks. */
  readonly device: Calls = missing().length > 0 ? ({} as Calls) : startDevice((event) => this.#hear(event));

  readonly name = $derived(this.status?.person?.name ?? '');
  /** By which days and how long places are due. */
  readonly reckoning: Reckoning = $derived({
    today: today(preferences.timeZone, now.ms),
    now: now.ms,
    intervalDays: this.deployment?.visit_interval_days ?? INTERVAL_DAYS,
  });

  async begin(): Promise<void> {
    this.#wear();
    const asked = askDeployment();
    try {
      const [status, lists] = await Promise.all([this.device.status(), this.device.codeLists()]);
      wording.learn(lists);
      this.status = status;
      this.problem = null;
    } catch (thrown) {
      this.problem = failed(thrown);
    }
    void asked.then((deployment) => this.#learn(deployment));
  }

  /** Asks who answers at this address. `isOurs`: it has just taken this phone's words, whoever was here before. */
  async look(isOurs = false): Promise<void> {
    this.#learn(await askDeployment(), isOurs);
  }

  async refresh(): Promise<void> {
    try {
      this.status = await this.device.status();
      this.problem = null;
    } catch (thrown) {
      this.problem = failed(thrown);
    }
  }

  #hear(event: DeviceEvent): void {
    if (event.event === 'progress') {
      this.progress = { pulled: event.pulled, pushed: event.pushed };
      return;
    }
    this.drafted += 1;
    if (event.event === 'drafted') return;
    this.changes += 1;
    void this.refresh();
  }

  #learn(deployment: Deployment | null, isOurs = false): void {
    if (!deployment) return;
    const known = this.deployment?.deployment ?? deployment.deployment;
    this.isElsewhere = !isOurs && Boolean(this.status?.person) && known !== deployment.deployment;
    if (this.isElsewhere) return;
    this.deployment = deployment;
    rememberDeployment(deployment);
    this.#wear();
  }

  #wear(): void {
    if (this.deployment) preferences.timeZone = this.deployment.time_zone;
  }
}

export const phone = new Phone();
export const device = phone.device;
