// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** The record of every activity call: a file that several worker processes may append to. */
final class CallLog {
  private static final ObjectMapper JSON = new ObjectMapper();
  private final Path path;

  CallLog(Path stateDir) {
    path = stateDir.resolve("calls.jsonl");
  }

  /** Adds a call of this process, made now. */
  synchronized void append(String activity, Step input) {
    long pid = ProcessHandle.current().pid();
    Call call = new Call(activity, input, pid, System.currentTimeMillis());
    try {
      // One write in append mode: a process that is killed right after it leaves a whole line.
      byte[] line = (JSON.writeValueAsString(call) + "\n").getBytes();
      Files.write(path, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
    } catch (IOException fault) {
      throw new UncheckedIOException(fault);
    }
  }

  /** The calls made for one instance, oldest first. */
  List<Call> of(String instanceId) {
    if (!Files.exists(path)) {
      return List.of();
    }
    try {
      String text = Files.readString(path);
      // Without what follows the last line's end: a write may be under way.
      String whole = text.substring(0, text.lastIndexOf('\n') + 1);
      return whole.lines().map(CallLog::parse)
          .filter(call -> call.input().instanceId().equals(instanceId)).toList();
    } catch (IOException fault) {
      throw new UncheckedIOException(fault);
    }
  }

  /** The calls of one activity made for one instance, oldest first. */
  List<Call> of(String instanceId, String activity) {
    return of(instanceId).stream().filter(call -> call.activity().equals(activity)).toList();
  }

  /** Returns once the activity was called for the instance. */
  void await(String instanceId, String activity) {
    Waiting.until(
        () -> !of(instanceId, activity).isEmpty(), "a call of " + activity, Waiting.LIMIT);
  }

  private static Call parse(String line) {
    try {
      return JSON.readValue(line, Call.class);
    } catch (JsonProcessingException fault) {
      throw new UncheckedIOException(fault);
    }
  }
}
