import { command } from '../shell/command.ts';

/** Hides or shows events. */
export default command({
  name: 'printwatches',
  group: 'watch',
  about: 'show or hide watch events',
  risk: 'read',
  params: { state: { kind: 'enum', about: 'on or off; none says which it is', values: ['on', 'off'], optional: true } },
  examples: [
    ['printwatches off', 'no more events'],
    ['printwatches on', 'events are shown again'],
    ['printwatches', 'whether they are'],
  ],
  async run({ state }, context) {
    if (state !== undefined) {
      context.showsEvents = state === 'on';
      return { type: 'done', text: `watch events are ${state}`, json: { printwatches: state } };
    }
    const now = context.showsEvents ? 'on' : 'off';
    return { type: 'value', value: now, text: now };
  },
});
