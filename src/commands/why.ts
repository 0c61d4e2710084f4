import { string as argument } from '@oclif/core/args';
import { rememberBuild, stepsMeant } from '../build/index.ts';
import { jsonFlag, StoreCommand, whyLines } from '../ui/index.ts';

export default class Why extends StoreCommand {
  static override summary = 'Tell why the steps of a build were done, or were not';
  static override args = {
    build: argument({ required: true, description: 'Name or id of an image, or id of a build' }),
    step: argument({ description: 'Number of a step, or a part of its title; all steps unless given' }),
  };
  static override flags = { json: jsonFlag };

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Why);
    const build = await this.withStore(async (store) => rememberBuild(store, args.build));
    const steps = args.step === undefined ? build.steps : stepsMeant(build, args.step);
    if (flags.json) return this.printJson({ ...build, steps });
    this.print(steps.map((step) => whyLines(step, build.dockerfile)).join(''));
  }
}
