import type { Generation, Model } from '@/api/client';
import { useModels } from '@/api/models';
import { asProblem } from '@/api/problem';
import { useProjectChoices } from '@/api/projects';
import { FailureCard } from '@/features/watch/FailureCard';
import { useShortcuts } from '@/keyboard/registry';
import { useConnection } from '@/live/live';
import { classes } from '@/ui/classes';
import { ErrorCard } from '@/ui/ErrorCard';
import { Loading, Skeleton } from '@/ui/Skeleton';
import styles from './CreateForm.module.css';
import { changeDraft, setValue, useDraft } from './drafts';
import { useEstimate } from './estimating';
import { FormFields } from './FormFields';
import { fieldsOf } from './fields';
import { GenerateBar } from './GenerateBar';
import { KINDS } from './kinds';
import { LeftOut } from './LeftOut';
import { ModelPicker } from './ModelPicker';
import { modelOf } from './modelSearch';
import { obstacleOf } from './obstacles';
import { HINTS } from './PromptControl';
import { PromptPlace } from './PromptPlace';
import { requestOf, sharedName } from './requests';
import { SettingsMenu } from './SettingsMenu';
import { useSubmit } from './submitting';
import { useTransfers } from './transfers';
import { inputOf, inputsOf, isBlank } from './values';

interface Props {
  kind: string;
  onMade: (made: readonly Generation[]) => void;
}

/** The form of a kind, drawn from the chosen model's schema, and the bar that sends it. */
export function CreateForm({ kind, onMade }: Props) {
  const models = useModels(kind);
  // With both it is drawn once: what is below the choice of a project would move when that comes later.
  const { isLoading } = useProjectChoices();
  if (models.error) return <ErrorCard error={models.error} onRetry={() => void models.refetch()} />;
  if (!models.data || isLoading) return <FormSkeleton kind={kind} />;
  return <LoadedForm kind={kind} models={models.data} onMade={onMade} />;
}

function LoadedForm({ kind, models, onMade }: Props & { models: readonly Model[] }) {
  const draft = useDraft(kind);
  const offline = useConnection() === 'offline';
  const transfers = useTransfers().filter((one) => one.kind === kind);
  const model = modelOf(models, draft.model, KINDS.find((one) => one.name === kind)?.usual);
  const fields = fieldsOf(model?.parameters ?? {});
  const input = inputOf(draft.values, fields);
  const estimate = useEstimate(model ? requestOf(kind, model, models, draft, input) : null);
  const { send, isPending, error } = useSubmit(onMade);
  const problem = error ? asProblem(error) : null;
  const missing = fields
    .filter((field) => (field.required || field.name === 'prompt') && isBlank(input[field.name]))
    .map((field) => {
      const verb = field.widget === 'file' ? 'Choose the' : 'Write the';
      return `${verb} ${field.title.toLowerCase()} first.`;
    });
  const perWord = missing.length > 0 && countsWords(model);
  const situation = { offline, transfers, missing, hasModel: model?.available ?? false };
  const obstacle = obstacleOf({ ...situation, estimate: estimate.data });
  const sendUnless = (hindered: boolean) => {
    if (hindered || !model) return;
    const inputs = inputsOf(draft.values, fields, draft.times);
    send(inputs.map((one) => requestOf(kind, model, models, draft, one)));
  };
  const generate = () => sendUnless(obstacle !== null);
  // What refused it may have changed its mind since the estimate said so.
  const tryAgain = () => sendUnless(obstacleOf({ ...situation, estimate: undefined }) !== null);
  useShortcuts('Create', [{ chord: 'Mod+Enter', label: 'Generate', inFields: true, run: generate }]);
  const errorOf = (name: string) =>
    problem?.of(`input.${name}`) ??
    estimate.data?.problems.find((one) => one.field === `input.${name}` && !one.missing)?.message ??
    null;
  const places = ['model', ...fields.map((field) => `input.${field.name}`)];
  const unplaced = problem && places.every((place) => problem.of(place) === null);
  const choose = (chosen: Model) => changeDraft(kind, { model: chosen.id });
  return (
    <form
      className={styles.form}
      aria-label="What to make"
      onSubmit={(event) => {
        event.preventDefault();
        generate();
      }}
    >
      <div className={styles.fields}>
        <FormFields
          kind={kind}
          fields={fields}
          draft={draft}
          canStandIn={model !== undefined && sharedName(model, models) !== null}
          errorOf={errorOf}
          onChange={(name, value) => setValue(kind, name, value)}
        >
          <ModelPicker
            models={models}
            chosen={model}
            error={problem?.of('model') ?? null}
            actions={<SettingsMenu kind={kind} model={model?.id ?? null} />}
            onChoose={choose}
          />
          <LeftOut model={model} models={models} values={draft.values} onChoose={choose} />
        </FormFields>
        {unplaced && <FailureCard problem={problem} onRetry={tryAgain} />}
      </div>
      <GenerateBar
        estimate={estimate.data}
        rate={perWord ? (model?.price_text ?? null) : null}
        expectedS={model?.expected_s}
        unpriced={estimate.isError}
        times={draft.times}
        obstacle={obstacle}
        busy={isPending}
      />
    </form>
  );
}

/** Whether the price grows with the text, so that without one there is only a rate to tell. */
function countsWords(model: Model | undefined): boolean {
  const units = (model?.price?.units ?? {}) as Record<string, unknown>;
  return Object.keys(units).some((unit) => unit === 'character' || unit.endsWith('_token'));
}

function FormSkeleton({ kind }: { kind: string }) {
  return (
    <div className={classes(styles.form, styles.loading)}>
      <Loading label="Loading the models" />
      <div className={styles.fields}>
        {HINTS[kind] ? <PromptPlace kind={kind} /> : <Skeleton height={128} />}
        <Skeleton height={52} />
        <Skeleton height={88} />
        <Skeleton height={64} />
      </div>
    </div>
  );
}
