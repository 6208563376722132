// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import java.time.Duration;
import java.time.Instant;
import java.util.function.BooleanSupplier;

/** Waits for things that announce themselves in no other way. */
final class Waiting {
  /** How long a wait of the suite may last. */
  static final Duration LIMIT = Duration.ofSeconds(60);

  private Waiting() {}

  /** Returns once {@code holds} is true; throws, naming {@code what}, when it never is. */
  static void until(BooleanSupplier holds, String what, Duration limit) {
    Instant deadline = Instant.now().plus(limit);
    while (!holds.getAsBoolean()) {
      if (Instant.now().isAfter(deadline)) {
        throw new IllegalStateException("waited " + limit + " in vain for " + what);
      }
      try {
        Thread.sleep(20);
      } catch (InterruptedException interruption) {
        throw new IllegalStateException("interrupted while waiting for " + what, interruption);
      }
    }
  }
}
