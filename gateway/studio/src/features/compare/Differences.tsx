import { differencesOf, parametersOf } from '@/features/library/origins';
import { Breakable } from '@/ui/Breakable';
import { dollars } from '@/ui/money';
import styles from './Compare.module.css';
import type { Contender, Pair } from './contender';

/** In what the two differ; what they have in common is left out. */
export function Differences({ pair }: { pair: Pair }) {
  const rows = differencesOf(factsOf(pair[0]), factsOf(pair[1]));
  if (rows.length === 0) return <p>Both were made with the same settings.</p>;
  return (
    <div className={styles.differences}>
      <table>
        <caption>What differs</caption>
        <thead>
          <tr>
            <th scope="col">
              <span className="unseen">Setting</span>
            </th>
            <th scope="col">A</th>
            <th scope="col">B</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(([name, a, b]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>
                <Breakable>{a}</Breakable>
              </td>
              <td>
                <Breakable>{b}</Breakable>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function factsOf({ asset, generation }: Contender): Record<string, string> {
  const cost = generation?.cost.actual?.nanos;
  return {
    ...(asset.prompt && { Prompt: asset.prompt }),
    ...(asset.model && { Model: asset.model }),
    ...(generation?.resolved && {
      'Made by': `${generation.resolved.model} at ${generation.resolved.provider}`,
    }),
    ...(generation && Object.fromEntries(parametersOf(generation))),
    ...(asset.seed !== null && { Seed: String(asset.seed) }),
    ...(asset.width && { Pixels: `${asset.width} × ${asset.height}` }),
    ...(asset.duration_seconds !== null && { Length: `${asset.duration_seconds.toFixed(1)} s` }),
    ...(cost !== undefined && { Cost: dollars(cost) }),
  };
}
