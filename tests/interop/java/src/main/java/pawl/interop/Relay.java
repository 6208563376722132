// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import io.dapr.workflows.Workflow;
import io.dapr.workflows.WorkflowContext;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;

/** A workflow and an activity for the suite of mixed languages: see tests/interop/mixed. */
final class Relay {
  /** The input of every relay. */
  record Input(String text, List<String> steps) {}

  private Relay() {}

  /** Registers both. */
  static void addTo(WorkflowRuntimeBuilder builder, Path stateDir) {
    builder.registerActivity("javaMark", ctx -> {
      String marked = ctx.getInput(String.class) + " javaMark";
      try {
        byte[] line = (marked + "\n").getBytes();
        Path marks = stateDir.resolve("marks.txt");
        Files.write(marks, line, StandardOpenOption.CREATE, StandardOpenOption.APPEND);
      } catch (IOException fault) {
        throw new UncheckedIOException(fault);
      }
      return marked;
    });
    Workflow workflow = () -> Relay::run;
    builder.registerWorkflow("javaRelay", workflow, null, null);
  }

  /** Gives the text to each step in turn: an activity by its name, or another relay as a child. */
  private static void run(WorkflowContext ctx) {
    Input input = ctx.getInput(Input.class);
    String text = input.text();
    for (String step : input.steps()) {
      text = step.endsWith("Relay")
          ? ctx.callChildWorkflow(step, new Input(text, List.of()), String.class).await()
          : ctx.callActivity(step, text, String.class).await();
    }
    ctx.complete(text + " javaRelay");
  }
}
