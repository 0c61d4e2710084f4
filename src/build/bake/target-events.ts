import type { BuildEvent, OnBuildEvent } from '../events.ts';

/** Joins the events of several builds into one stream, in which steps carry the names of their targets. */
export class TargetEvents {
  readonly #onEvent: OnBuildEvent;
  readonly #isOnlyOne: boolean;
  /** What holds for all builds is said once. */
  readonly #said = new Set<string>();

  constructor(onEvent: OnBuildEvent, targets: number) {
    this.#onEvent = onEvent;
    this.#isOnlyOne = targets === 1;
  }

  of(target: string): OnBuildEvent {
    const own = (id: string): string => `${target} ${id}`;
    return (event) => {
      if (event.type === 'note') this.#note(target, event);
      else if (event.type === 'plan') {
        const steps = event.steps.map((step) => ({
          ...step,
          id: own(step.id),
          title: this.#title(target, step.title),
          stage: this.#isOnlyOne ? step.stage : `${target} ${step.stage}`,
          needs: step.needs.map(own),
        }));
        this.#onEvent({ ...event, steps });
      } else if (event.type === 'step-start') {
        this.#onEvent({ ...event, id: own(event.id), title: this.#title(target, event.title) });
      } else this.#onEvent({ ...event, id: own(event.id) });
    };
  }

  /** `[build 2/5] RUN make` becomes `[app build 2/5] RUN make`. */
  #title(target: string, title: string): string {
    if (this.#isOnlyOne) return title;
    return title.startsWith('[') ? `[${target} ${title.slice(1)}` : `[${target}] ${title}`;
  }

  /** What is found in a Dockerfile is its target's; what is said of the machine holds for all. */
  #note(target: string, note: BuildEvent & { type: 'note' }): void {
    if (note.findings !== undefined) {
      this.#onEvent(this.#isOnlyOne ? note : { ...note, message: `target ${target}: ${note.message}` });
      return;
    }
    if (this.#said.has(note.message)) return;
    this.#said.add(note.message);
    this.#onEvent(note);
  }
}
