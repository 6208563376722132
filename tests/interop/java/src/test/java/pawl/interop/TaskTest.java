// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.dapr.workflows.client.DaprWorkflowClient;
import io.dapr.workflows.client.WorkflowRuntimeStatus;
import io.dapr.workflows.client.WorkflowState;
import java.util.List;
import java.util.UUID;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

class TaskTest {
  @RegisterExtension static final InteropSystem system = new InteropSystem();

  @Test
  void aChainOfThreePassesEachResultOn() throws Exception {
    String id = UUID.randomUUID().toString();
    String returnedId = system.client().scheduleNewWorkflow("chain", 3, id);
    WorkflowState state = system.awaitEnd(id);

    assertEquals(id, returnedId);
    assertEquals(WorkflowRuntimeStatus.COMPLETED, state.getRuntimeStatus());
    assertEquals("chain", state.getName());
    assertEquals("3", state.getSerializedInput());
    assertEquals("[4,8,64]", state.getSerializedOutput());
    assertEquals(List.of("addOne", "double", "square"), system.activitiesOf(id));
    assertEquals(List.of(4), system.numbersOf(id, "double"));
    assertEquals(List.of(8), system.numbersOf(id, "square"));
  }

  @Test
  void aChainRunsForAClientOnTheSecondPort() throws Exception {
    try (DaprWorkflowClient client = system.createClientOfSecondPort()) {
      String id = client.scheduleNewWorkflow("chain", 1);
      WorkflowState state = client.waitForWorkflowCompletion(id, Waiting.LIMIT, true);

      assertEquals("[2,4,16]", state.getSerializedOutput());
    }
  }

  @Test
  void aFanOutCalls100ActivitiesOnceEach() throws Exception {
    String id = system.client().scheduleNewWorkflow("fanOut", 100);

    assertEquals("338350", system.awaitOutput(id));
    List<Integer> inputs = system.numbersOf(id, "square").stream().sorted().toList();
    assertEquals(IntStream.rangeClosed(1, 100).boxed().toList(), inputs);
  }

  @Test
  void theRetryPolicyRepeatsAFailingActivity() throws Exception {
    String id = system.client().scheduleNewWorkflow("retried", "done");

    assertEquals("\"done at attempt 3\"", system.awaitOutput(id));
    List<Long> times = system.calls().of(id, "failTwice").stream().map(Call::atMs).toList();
    assertEquals(3, times.size());
    assertTrue(times.get(1) - times.get(0) >= 500, times::toString);
    assertTrue(times.get(2) - times.get(1) >= 1000, times::toString);
  }

  @Test
  void childWorkflowsReturnTheirResults() throws Exception {
    String id = system.client().scheduleNewWorkflow("parent", new int[] {1, 2, 3});
    String childId = id + "-child";

    assertEquals("[[2,4,16],[3,6,36],[4,8,64]]", system.awaitOutput(id));
    assertEquals("[2,4,16]", system.awaitOutput(childId));
    assertEquals(List.of("addOne", "double", "square"), system.activitiesOf(childId));
    assertEquals(List.of(), system.activitiesOf(id));
  }

  @Test
  void theFailureOfAChildIsCaughtByItsParent() throws Exception {
    String id = system.client().scheduleNewWorkflow("parentOfBroken");

    String type = Workflows.NoLuckException.class.getName();
    assertEquals("\"caught " + type + ": child has no luck\"", system.awaitOutput(id));
  }
}
