// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.dapr.config.Properties;
import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A server, a worker and a client, each with the SDK's own settings but for the port. In a static
 * field it lives as long as the tests of the class, else as long as one test. What server and
 * worker printed is shown with a test that fails.
 */
final class InteropSystem
    implements BeforeAllCallback, BeforeEachCallback, AfterEachCallback, AfterAllCallback {
  /** After so many failed tests the rest fails at once, rather than wait for what does not come. */
  private static final int FAILURE_LIMIT = 5;

  private static final AtomicInteger FAILURES = new AtomicInteger();

  private boolean isOfClass;
  private Path directory;
  private int grpcPort;
  private RunningProcess server;
  private RunningProcess worker;
  private DaprWorkflowClient client;
  private CallLog calls;
  private Gate gate;

  RunningProcess server() {
    return server;
  }

  RunningProcess worker() {
    return worker;
  }

  DaprWorkflowClient client() {
    return client;
  }

  CallLog calls() {
    return calls;
  }

  Gate gate() {
    return gate;
  }

  @Override
  public void beforeAll(ExtensionContext context) throws Exception {
    isOfClass = true;
    start();
  }

  @Override
  public void beforeEach(ExtensionContext context) throws Exception {
    if (FAILURES.get() >= FAILURE_LIMIT) {
      throw new IllegalStateException(FAILURE_LIMIT + " tests have failed already");
    }
    if (!isOfClass) {
      start();
    }
  }

  @Override
  public void afterEach(ExtensionContext context) throws Exception {
    if (context.getExecutionException().isPresent() && server != null) {
      FAILURES.incrementAndGet();
      System.out.println("--- server\n" + server.output() + "--- worker\n" + worker.output());
    }
    if (!isOfClass) {
      stop();
    }
  }

  @Override
  public void afterAll(ExtensionContext context) throws Exception {
    stop();
  }

  private void start() throws Exception {
    directory = Files.createTempDirectory("pawl-interop-");
    Path stateDir = Files.createDirectory(directory.resolve("state"));
    int[] ports = RunningProcess.findFreePorts();
    grpcPort = ports[1];
    server = RunningProcess.server(ports[0], ports[1], directory.resolve("data"));
    worker = RunningProcess.worker(ports[0], stateDir);
    calls = new CallLog(stateDir);
    gate = new Gate(stateDir);
    try {
      server.start();
      worker.start();
    } catch (IOException | InterruptedException fault) {
      stop();
      throw fault;
    }
    client = createClient(ports[0]);
  }

  private void stop() throws Exception {
    if (directory == null) {
      return;
    }
    gate.open(); // For activities that a failed test still holds.
    if (client != null) {
      client.close();
    }
    worker.stop();
    server.stop();
    try (Stream<Path> paths = Files.walk(directory)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
    directory = null;
  }

  /** Another client, on the server's second port. */
  DaprWorkflowClient createClientOfSecondPort() {
    return createClient(grpcPort);
  }

  private static DaprWorkflowClient createClient(int port) {
    Map<String, String> overrides = Map.of(Properties.GRPC_PORT.getName(), Integer.toString(port));
    return new DaprWorkflowClient(new Properties(overrides));
  }

  /** The state of the instance once it has finished in whatever way. */
  WorkflowState awaitEnd(String id) throws TimeoutException {
    return client.waitForWorkflowCompletion(id, Waiting.LIMIT, true);
  }

  /** The output of the instance, as JSON; fails when the instance has not completed. */
  String awaitOutput(String id) throws TimeoutException {
    WorkflowState state = awaitEnd(id);
    assertEquals(WorkflowRuntimeStatus.COMPLETED, state.getRuntimeStatus(), state::toString);
    return state.getSerializedOutput();
  }

  /** Fails when the instance finishes within the time. */
  void awaitInVain(String id, Duration limit) {
    assertThrows(
        TimeoutException.class, () -> client.waitForWorkflowCompletion(id, limit, true));
  }

  /**
   * Returns once the client's connection has come back: the SDK's calls, waits too, fail before
   * that.
   */
  void awaitAnswer(String id) {
    Waiting.until(() -> isAnswering(id), "the server to answer", Waiting.LIMIT);
  }

  private boolean isAnswering(String id) {
    try {
      client.getWorkflowState(id, false);
      return true;
    } catch (StatusRuntimeException fault) {
      return false;
    }
  }

  /**
   * Resumes an instance while the worker may be away: a strict server, like Dapr's, then refuses it.
   */
  void resume(String id) {
    if (System.getenv("PAWL_STRICT_DAPR") == null) {
      client.resumeWorkflow(id, "");
    } else {
      Waiting.until(() -> isResumed(id), "the worker to come back", Waiting.LIMIT);
    }
  }

  private boolean isResumed(String id) {
    try {
      client.resumeWorkflow(id, "");
      return true;
    } catch (StatusRuntimeException fault) {
      return false;
    }
  }

  /** The status of an instance that must exist. */
  WorkflowRuntimeStatus statusOf(String id) {
    WorkflowState state = client.getWorkflowState(id, true);
    assertEquals(id, state.getWorkflowId(), "the SDK gives an empty state for an unknown instance");
    return state.getRuntimeStatus();
  }

  /** The activities called for the instance, in order. */
  List<String> activitiesOf(String id) {
    return calls.of(id).stream().map(Call::activity).toList();
  }

  /** The numbers that the activity was called with for the instance, in order. */
  List<Integer> numbersOf(String id, String activity) {
    return calls.of(id, activity).stream().map(call -> call.input().number()).toList();
  }
}
