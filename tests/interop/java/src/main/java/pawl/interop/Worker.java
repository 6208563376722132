// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import io.dapr.config.Properties;
import io.dapr.workflows.runtime.WorkflowRuntimeBuilder;
import java.nio.file.Path;
import java.util.Map;

/**
 * The worker of the suite: {@code Worker PORT FOLDER} prints {@code worker ready} and works until
 * SIGTERM. Its call log and gate are in the folder. The SDK is told nothing but the port.
 */
public final class Worker {
  private Worker() {}

  /** Works until the process is told to end. */
  public static void main(String[] arguments) {
    if (arguments.length != 2) {
      throw new IllegalArgumentException("usage: Worker PORT FOLDER");
    }
    Path stateDir = Path.of(arguments[1]);
    Properties properties = new Properties(Map.of(Properties.GRPC_PORT.getName(), arguments[0]));
    WorkflowRuntimeBuilder builder = new WorkflowRuntimeBuilder(properties);
    Workflows.addTo(builder);
    new Activities(new CallLog(stateDir), new Gate(stateDir)).addTo(builder);
    Relay.addTo(builder, stateDir);
    builder.build().start(false);
    System.out.println("worker ready");
  }
}
