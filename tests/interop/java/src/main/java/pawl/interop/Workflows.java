// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import io.dapr.durabletask.Task;
import io.dapr.durabletask.TaskCanceledException;
import io.dapr.durabletask.TaskFailedException;
import io.dapr.workflows.Workflow;
import io.dapr.workflows.WorkflowContext;
import io.dapr.workflows.WorkflowStub;
import io.dapr.workflows.WorkflowTaskOptions;
import io.dapr.workflows.WorkflowTaskRetryPolicy;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** The workflows of the suite. */
final class Workflows {
  /** The input of {@code countdown}. */
  record Count(int left, List<Integer> seen) {}

  /** What {@code broken} fails with. */
  static final class NoLuckException extends RuntimeException {
    NoLuckException(String message) {
      super(message);
    }
  }

  private Workflows() {}

  /** Registers every workflow by its name. */
  static void addTo(WorkflowRuntimeBuilder builder) {
    add(builder, "chain", Workflows::chain);
    add(builder, "fanOut", Workflows::fanOut);
    add(builder, "approval", Workflows::approval);
    add(builder, "nap", Workflows::nap);
    add(builder, "parent", Workflows::parent);
    add(builder, "parentOfBroken", Workflows::parentOfBroken);
    add(builder, "parentOfWaiting", Workflows::parentOfWaiting);
    add(builder, "retried", Workflows::retried);
    add(builder, "countdown", Workflows::countdown);
    add(builder, "collect", Workflows::collect);
    add(builder, "broken", Workflows::broken);
    add(builder, "uncaught", Workflows::uncaught);
    add(builder, "gated", Workflows::gated);
  }

  private static void add(WorkflowRuntimeBuilder builder, String name, WorkflowStub stub) {
    Workflow workflow = () -> stub;
    builder.registerWorkflow(name, workflow, null, null);
  }

  private static Task<Integer> call(WorkflowContext ctx, String activity, int number) {
    return ctx.callActivity(activity, new Step(ctx.getInstanceId(), number, null), Integer.class);
  }

  /** Calls each activity with the result of the one before, and gives all results. */
  private static List<Integer> callInOrder(WorkflowContext ctx, int number, String... activities) {
    List<Integer> results = new ArrayList<>();
    for (String activity : activities) {
      results.add(call(ctx, activity, results.isEmpty() ? number : results.get(results.size() - 1))
          .await());
    }
    return results;
  }

  private static void chain(WorkflowContext ctx) {
    ctx.complete(callInOrder(ctx, ctx.getInput(Integer.class), "addOne", "double", "square"));
  }

  private static void fanOut(WorkflowContext ctx) {
    List<Task<Integer>> tasks = IntStream.rangeClosed(1, ctx.getInput(Integer.class))
        .mapToObj(number -> call(ctx, "square", number)).toList();
    ctx.complete(ctx.allOf(tasks).await().stream().mapToInt(Integer::intValue).sum());
  }

  private static void approval(WorkflowContext ctx) {
    Duration timeout = Duration.ofSeconds(ctx.getInput(Integer.class));
    String decision;
    try {
      decision = ctx.waitForExternalEvent("decision", timeout, String.class).await();
    } catch (TaskCanceledException expiry) {
      ctx.complete("expired");
      return;
    }
    Step input = new Step(ctx.getInstanceId(), 0, decision);
    ctx.complete(ctx.callActivity("fileDecision", input, String.class).await());
  }

  /** Gives the milliseconds that it slept, by the clock of the history. */
  private static void nap(WorkflowContext ctx) {
    Instant start = ctx.getCurrentInstant();
    ctx.createTimer(Duration.ofSeconds(ctx.getInput(Integer.class))).await();
    ctx.complete(Duration.between(start, ctx.getCurrentInstant()).toMillis());
  }

  /** Runs a chain as a child for each number, the first under an ID of its own choice. */
  private static void parent(WorkflowContext ctx) {
    List<Task<int[]>> children = new ArrayList<>();
    for (int number : ctx.getInput(int[].class)) {
      String id = children.isEmpty() ? ctx.getInstanceId() + "-child" : null;
      children.add(ctx.callChildWorkflow("chain", number, id, int[].class));
    }
    ctx.complete(ctx.allOf(children).await());
  }

  private static void parentOfBroken(WorkflowContext ctx) {
    try {
      ctx.callChildWorkflow("broken", "child has no luck", Void.class).await();
    } catch (TaskFailedException failure) {
      var details = failure.getErrorDetails();
      ctx.complete("caught " + details.getErrorType() + ": " + details.getErrorMessage());
    }
  }

  private static void parentOfWaiting(WorkflowContext ctx) {
    ctx.callChildWorkflow("approval", 60, ctx.getInstanceId() + "-child", String.class).await();
  }

  private static void retried(WorkflowContext ctx) {
    WorkflowTaskRetryPolicy policy = WorkflowTaskRetryPolicy.newBuilder()
        .setMaxNumberOfAttempts(3)
        .setFirstRetryInterval(Duration.ofMillis(500))
        .setBackoffCoefficient(2)
        .setRetryTimeout(Duration.ofMinutes(1))
        .build();
    Step input = new Step(ctx.getInstanceId(), 0, ctx.getInput(String.class));
    WorkflowTaskOptions options = new WorkflowTaskOptions(policy);
    ctx.complete(ctx.callActivity("failTwice", input, options, String.class).await());
  }

  private static void countdown(WorkflowContext ctx) {
    Count now = ctx.getInput(Count.class);
    List<Integer> seen = new ArrayList<>(now.seen());
    seen.add(call(ctx, "addOne", now.left()).await());
    if (now.left() > 1) {
      ctx.continueAsNew(new Count(now.left() - 1, seen));
    }
    ctx.complete(seen);
  }

  private static void collect(WorkflowContext ctx) {
    List<String> items = new ArrayList<>(Arrays.asList(ctx.getInput(String[].class)));
    items.add(ctx.waitForExternalEvent("item", String.class).await());
    if (items.size() < 3) {
      ctx.continueAsNew(items, true);
    }
    ctx.complete(items);
  }

  private static void broken(WorkflowContext ctx) {
    call(ctx, "addOne", 1).await();
    throw new NoLuckException(ctx.getInput(String.class));
  }

  private static void uncaught(WorkflowContext ctx) {
    Step input = new Step(ctx.getInstanceId(), 0, ctx.getInput(String.class));
    ctx.callActivity("failAlways", input, Void.class).await();
  }

  private static void gated(WorkflowContext ctx) {
    ctx.complete(callInOrder(ctx, ctx.getInput(Integer.class), "addOne", "passGate", "double"));
  }
}
