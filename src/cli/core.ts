/**
 * Modules that almost every way into the program needs. The bundler makes a file of its own for each set of ways that share
 * something; with these in every one of them it makes one file of all, and a command that reads one starts sooner than one
 * that reads fifty. Nothing is used here, and what is loaded only when it is wanted does not belong here.
 */
import '../base/buffer.ts';
import '../base/path.ts';
import '../base/width.ts';
import '../client/api.ts';
import '../client/connect-string.ts';
import '../config/folders.ts';
import '../config/profiles.ts';
import '../config/secrets.ts';
import '../editor/redact.ts';
import '../ensemble/layout.ts';
import '../out/data.ts';
import '../out/failures.ts';
import '../out/fold.ts';
import '../out/modes.ts';
import '../out/theme.ts';
import '../platform/clock.ts';
import '../platform/tcp.ts';
import '../platform/version.ts';
import '../protocol/data.ts';
import '../protocol/events.ts';
import '../protocol/frame.ts';
import '../protocol/handshake.ts';
import '../protocol/operations.ts';
import '../shell/acl-text.ts';
import '../shell/blocks.ts';
import '../shell/colors.ts';
import '../shell/file-reason.ts';
import '../shell/script-text.ts';
import '../shell/settings.ts';
import '../shell/stat-json.ts';
import '../shell/units.ts';
import './ask.ts';
import './child-leash.ts';
import './globals.ts';
import './interrupt.ts';
import './os.ts';
import './safety.ts';
import './targets.ts';
import './width.ts';
