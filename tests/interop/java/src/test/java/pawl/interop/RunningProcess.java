// SPDX-License-Identifier: Apache-2.0
package pawl.interop;

import java.io.BufferedReader;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** A program that says with one line on stdout that it is ready for work. */
final class RunningProcess {
  private static final Path REPOSITORY = Path.of("../../..").toAbsolutePath().normalize();
  private static final int START_SECONDS = 60;
  private static final int STOP_SECONDS = 15;

  private final List<String> command;
  private final String readyText;
  private final StringBuffer output = new StringBuffer();
  private Process process;

  private RunningProcess(List<String> command, String readyText) {
    this.command = command;
    this.readyText = readyText;
  }

  /** A Pawl server on ports and a data folder that stay the same over restarts. */
  static RunningProcess server(int port, int grpcPort, Path dataDir) {
    Path pinnedNode = REPOSITORY.resolve("node_modules/.bin/node");
    String node = Files.exists(pinnedNode) ? pinnedNode.toString() : "node";
    String named = System.getenv().getOrDefault("PAWL_SERVER", "");
    String main =
        named.isEmpty() ? REPOSITORY.resolve("packages/server/dist/main.js").toString() : named;
    return new RunningProcess(
        List.of(node, main, "serve", "--port", Integer.toString(port),
            "--grpc-port", Integer.toString(grpcPort), "--data", dataDir.toString()),
        "pawl ready on ");
  }

  /** The suite's worker, told nothing but the port. */
  static RunningProcess worker(int port, Path stateDir) {
    String java = Path.of(System.getProperty("java.home"), "bin", "java").toString();
    return new RunningProcess(
        List.of(java, "-cp", System.getProperty("java.class.path"), Worker.class.getName(),
            Integer.toString(port), stateDir.toString()),
        "worker ready");
  }

  /** Two different loopback ports that nobody listens on. */
  static int[] findFreePorts() throws IOException {
    InetAddress loopback = InetAddress.getLoopbackAddress();
    try (ServerSocket first = new ServerSocket(0, 1, loopback);
        ServerSocket second = new ServerSocket(0, 1, loopback)) {
      return new int[] {first.getLocalPort(), second.getLocalPort()};
    }
  }

  /** Returns once the ready line was printed. */
  void start() throws IOException, InterruptedException {
    process = new ProcessBuilder(command).redirectErrorStream(true).start();
    process.getOutputStream().close();
    CountDownLatch readyOrEnded = new CountDownLatch(1);
    BufferedReader lines = process.inputReader();
    boolean[] isReady = {false};
    Thread reader = new Thread(() -> {
      lines.lines().forEach(line -> {
        output.append(line).append('\n');
        if (line.contains(readyText)) {
          isReady[0] = true;
          readyOrEnded.countDown();
        }
      });
      readyOrEnded.countDown();
    });
    reader.setDaemon(true);
    reader.start();
    if (!readyOrEnded.await(START_SECONDS, TimeUnit.SECONDS) || !isReady[0]) {
      kill();
      throw new IOException("not ready: " + command + "\n" + output);
    }
  }

  /** Ends the process by SIGTERM; by SIGKILL when it does not obey. */
  void stop() throws InterruptedException {
    if (process != null) {
      process.toHandle().destroy(); // Process.destroy() would close the output unread.
      if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
        kill();
      }
    }
  }

  /** Ends the process by SIGKILL: it has no chance to finish anything. */
  void kill() throws InterruptedException {
    process.toHandle().destroyForcibly();
    if (!process.waitFor(STOP_SECONDS, TimeUnit.SECONDS)) {
      throw new IllegalStateException("cannot be killed: " + command);
    }
  }

  long pid() {
    return process.pid();
  }

  /** All that the process printed so far, over all its starts. */
  String output() {
    return output.toString();
  }
}
