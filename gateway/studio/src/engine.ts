/** What draws, by itself: a browser runs a script in one go, and short ones keep a phone able to answer. */
import 'react-dom/client';
