// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;

/** Holds an activity until the test opens it: a file, so that it works across processes. */
final class Gate {
  private final Path path;

  Gate(Path stateDir) {
    path = stateDir.resolve("gate-is-open");
  }

  /** Lets every activity pass, now and later. */
  void open() {
    try {
      Files.write(path, new byte[0]);
    } catch (IOException fault) {
      throw new UncheckedIOException(fault);
    }
  }

  /** Returns once the gate is open. */
  void await() {
    Waiting.until(() -> Files.exists(path), "the gate to open", Duration.ofSeconds(60));
  }
}
