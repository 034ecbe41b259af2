const NOTES_HZ = [659.25, 880];
const NOTE_S = 0.14;
const LOUDNESS = 0.12;

/** Two soft notes; silent when the browser does not allow sound yet. */
export function chime(): void {
  const context = new AudioContext();
  NOTES_HZ.forEach((pitch, index) => {
    const at = context.currentTime + index * NOTE_S;
    const tone = new OscillatorNode(context, { frequency: pitch });
    const volume = new GainNode(context, { gain: 0 });
    volume.gain.setValueAtTime(0, at);
    volume.gain.linearRampToValueAtTime(LOUDNESS, at + 0.02);
    volume.gain.exponentialRampToValueAtTime(0.0001, at + NOTE_S * 3);
    tone.connect(volume).connect(context.destination);
    tone.start(at);
    tone.stop(at + NOTE_S * 3);
  });
  setTimeout(() => void context.close(), 1_500);
}
