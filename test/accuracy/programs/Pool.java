import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.channels.SelectionKey;
import java.nio.channels.Selector;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingDeque;
import java.util.concurrent.ThreadLocalRandom;

/**
 * Pool selector|http|stages. selector: one thread reads all requests, 20 others work and answer; http: the JDK's server,
 * whose pool reads, works and answers; stages: as selector, in the three stages of a CompletableFuture.
 */
public class Pool {
  static final int BACKEND = Integer.parseInt(System.getenv("BACKEND_PORT"));
  static final int PORT = Integer.parseInt(System.getenv("PORT"));
  static final LinkedBlockingDeque<Socket> FREE = new LinkedBlockingDeque<>();
  static final ExecutorService WORKERS = Executors.newFixedThreadPool(20);

  /** On connections that all threads share. */
  static void call(String marker, int number) {
    try {
      Socket socket = FREE.pollFirst();
      if (socket == null) {
        socket = new Socket("127.0.0.1", BACKEND);
        socket.setTcpNoDelay(true);
      }
      String request = "GET /m/" + marker + "/" + number + " HTTP/1.1\r\nHost: b\r\n\r\n";
      socket.getOutputStream().write(request.getBytes(StandardCharsets.US_ASCII));
      readAnswer(socket.getInputStream());
      FREE.addFirst(socket);
    } catch (IOException problem) {
      throw new RuntimeException(problem);
    }
  }

  static void readAnswer(InputStream input) throws IOException {
    StringBuilder text = new StringBuilder();
    byte[] buffer = new byte[4096];
    for (;;) {
      int count = input.read(buffer);
      if (count < 0) throw new IOException("no answer");
      text.append(new String(buffer, 0, count, StandardCharsets.US_ASCII));
      int end = text.indexOf("\r\n\r\n");
      if (end < 0) continue;
      int at = text.indexOf("Content-Length: ") + 16;
      if (text.length() >= end + 4 + Integer.parseInt(text.substring(at, text.indexOf("\r", at)))) return;
    }
  }

  static void nap(int mostMillis) {
    try {
      Thread.sleep(ThreadLocalRandom.current().nextInt(mostMillis));
    } catch (InterruptedException ended) {
      Thread.currentThread().interrupt();
    }
  }

  static byte[] body(String marker) {
    return ("{\"m\":\"" + marker + "\"}").getBytes(StandardCharsets.US_ASCII);
  }

  static void answer(SocketChannel client, String marker) {
    byte[] body = body(marker);
    String head = "HTTP/1.1 200 OK\r\nContent-Length: " + body.length + "\r\n\r\n";
    ByteBuffer whole = ByteBuffer.wrap((head + new String(body, StandardCharsets.US_ASCII)).getBytes());
    try {
      while (whole.hasRemaining()) client.write(whole);
    } catch (IOException gone) {
      // The load has left.
    }
  }

  static void work(String marker) {
    call(marker, 1);
    nap(4);
    call(marker, 2);
  }

  static void workInStages(SocketChannel client, String marker) {
    CompletableFuture.runAsync(() -> call(marker, 1), WORKERS)
        .thenRunAsync(() -> nap(4), WORKERS)
        .thenRunAsync(() -> call(marker, 2), WORKERS)
        .thenRunAsync(() -> answer(client, marker), WORKERS);
  }

  static void serveHttp() throws IOException {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", PORT), 1024);
    server.setExecutor(WORKERS);
    server.createContext("/m/", exchange -> {
      String marker = exchange.getRequestURI().getPath().split("/")[2];
      work(marker);
      byte[] body = body(marker);
      exchange.sendResponseHeaders(200, body.length);
      exchange.getResponseBody().write(body);
      exchange.close();
    });
    server.start();
  }

  static void serveBySelector(boolean stages) throws IOException {
    Selector selector = Selector.open();
    ServerSocketChannel listener = ServerSocketChannel.open().bind(new InetSocketAddress("127.0.0.1", PORT), 1024);
    listener.configureBlocking(false).register(selector, SelectionKey.OP_ACCEPT);
    ByteBuffer buffer = ByteBuffer.allocate(4096);
    for (;;) {
      selector.select();
      for (SelectionKey key : selector.selectedKeys()) {
        if (key.isAcceptable()) {
          SocketChannel client = listener.accept();
          if (client != null) client.configureBlocking(false).register(selector, SelectionKey.OP_READ);
          continue;
        }
        SocketChannel client = (SocketChannel) key.channel();
        buffer.clear();
        int count;
        try {
          count = client.read(buffer);
        } catch (IOException gone) {
          count = -1;
        }
        if (count < 0) {
          client.close();
          continue;
        }
        if (count == 0) continue;
        String marker = new String(buffer.array(), 0, count, StandardCharsets.US_ASCII).split(" ")[1].split("/")[2];
        if (stages) {
          workInStages(client, marker);
        } else {
          WORKERS.execute(() -> {
            work(marker);
            answer(client, marker);
          });
        }
      }
      selector.selectedKeys().clear();
    }
  }

  public static void main(String[] arguments) throws IOException {
    Thread background = new Thread(() -> {
      for (int number = 0;; number++) {
        nap(16);
        call("B" + number, 1);
      }
    });
    background.setDaemon(true);
    background.start();
    if (arguments[0].equals("http")) serveHttp();
    else serveBySelector(arguments[0].equals("stages"));
  }
}
