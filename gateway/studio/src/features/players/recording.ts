/** A microphone that is listened to. `level` is 0 to 1. */
export interface Recording {
  level: () => number;
  /** Ends it; the sound so far. */
  stop: () => Promise<Blob>;
  /** Ends it and forgets it. */
  drop: () => void;
}

const TYPES = ['audio/webm;codecs=opus', 'audio/mp4', 'audio/ogg;codecs=opus'];
const LOUD = 4;

/** Asks for the microphone and begins. Throws what the browser says when there is none, or nobody may use it. */
export async function record(): Promise<Recording> {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: true });
  const context = new AudioContext();
  const analyser = context.createAnalyser();
  context.createMediaStreamSource(stream).connect(analyser);
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, mimeType ? { mimeType } : undefined);
  const parts: Blob[] = [];
  recorder.ondataavailable = (event) => parts.push(event.data);
  recorder.start();
  const release = () => {
    for (const track of stream.getTracks()) track.stop();
    void context.close();
  };
  const samples = new Float32Array(analyser.fftSize);
  return {
    level: () => {
      analyser.getFloatTimeDomainData(samples);
      const power = samples.reduce((sum, one) => sum + one * one, 0) / samples.length;
      return Math.min(1, Math.sqrt(power) * LOUD);
    },
    stop: () =>
      new Promise((done) => {
        recorder.onstop = () => {
          release();
          done(new Blob(parts, { type: recorder.mimeType.split(';')[0] }));
        };
        recorder.stop();
      }),
    drop: () => {
      recorder.onstop = null;
      recorder.stop();
      release();
    },
  };
}

/** Why the microphone could not be used, for people. */
export function whyNot(error: unknown): string {
  const name = error instanceof DOMException ? error.name : '';
  if (name === 'NotAllowedError') return 'The browser does not let this page use the microphone.';
  if (name === 'NotFoundError') return 'There is no microphone.';
  return 'The microphone cannot be used. It needs https, or a page on this machine.';
}
