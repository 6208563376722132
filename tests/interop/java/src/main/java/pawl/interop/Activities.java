// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.util.function.Function;

/** The activities of the suite. Each records its call before it does anything else. */
final class Activities {
  private final CallLog calls;
  private final Gate gate;

  Activities(CallLog calls, Gate gate) {
    this.calls = calls;
    this.gate = gate;
  }

  /** Registers every activity by its name. */
  void addTo(WorkflowRuntimeBuilder builder) {
    add(builder, "addOne", input -> input.number() + 1);
    add(builder, "double", input -> input.number() * 2);
    add(builder, "square", input -> input.number() * input.number());
    add(builder, "fileDecision", input -> "filed " + input.text());
    add(builder, "failTwice", this::failTwice);
    add(builder, "failAlways", input -> {
      throw new IllegalStateException(input.text());
    });
    add(builder, "passGate", input -> {
      gate.await();
      return input.number() * 10;
    });
  }

  private void add(WorkflowRuntimeBuilder builder, String name, Function<Step, Object> run) {
    builder.registerActivity(name, ctx -> {
      Step input = ctx.getInput(Step.class);
      calls.append(name, input);
      return run.apply(input);
    });
  }

  private Object failTwice(Step input) {
    int attempt = calls.of(input.instanceId(), "failTwice").size();
    if (attempt <= 2) {
      throw new IllegalStateException("attempt " + attempt + " fails");
    }
    return input.text() + " at attempt " + attempt;
  }
}
