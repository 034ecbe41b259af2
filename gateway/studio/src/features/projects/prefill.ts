/** What the form of a new generation begins with; it takes it from there, once. */
const PREFILL = 'penstock:prefill';

export function prefillProject(projectId: string): void {
  sessionStorage.setItem(PREFILL, JSON.stringify({ project_id: projectId }));
}
