package dev.ridgeline.server;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;

/**
 * HTTP/1.1 connections that notice when their client goes away while its request is being worked
 * on, or does not read. Helidon only looks at a connection between requests; here its reader is
 * ours, and may read ahead.
 */
final class WatchedConnections implements ServerConnectionSelector {
  private static final ThreadLocal<ConnectionReader> CURRENT = new ThreadLocal<>();

  private final Http1ConnectionSelector http1;
  private final WatchedWriter.Busy busy;

  WatchedConnections(Http1ConnectionSelector http1, WatchedWriter.Busy busy) {
    this.http1 = http1;
    this.busy = busy;
  }

  /** The reader of the connection whose request this thread is answering. */
  static ConnectionReader current() {
    return CURRENT.get();
  }

  @Override
  public int bytesToIdentifyConnection() {
    return http1.bytesToIdentifyConnection();
  }

  @Override
  public Support supports(BufferData data) {
    return http1.supports(data);
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http1.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    // A connection has one thread, and this is it.
    var reader = new ConnectionReader(context.serverSocket());
    CURRENT.set(reader);
    DataWriter writer = busy.watch(context.dataWriter(), reader);
    return http1.connection(new Watched(context, DataReader.create(reader), writer));
  }

  /** The same connection with another reader and writer. */
  private record Watched(ConnectionContext of, DataReader dataReader, DataWriter dataWriter)
      implements ConnectionContext {
    @Override
    public ListenerContext listenerContext() {
      return of.listenerContext();
    }

    @Override
    public ExecutorService executor() {
      return of.executor();
    }

    @Override
    public Router router() {
      return of.router();
    }

    @Override
    public Optional<ProxyProtocolData> proxyProtocolData() {
      return of.proxyProtocolData();
    }

    @Override
    public HelidonSocket serverSocket() {
      return of.serverSocket();
    }

    @Override
    public PeerInfo remotePeer() {
      return of.remotePeer();
    }

    @Override
    public PeerInfo localPeer() {
      return of.localPeer();
    }

    @Override
    public boolean isSecure() {
      return of.isSecure();
    }

    @Override
    public String socketId() {
      return of.socketId();
    }

    @Override
    public String childSocketId() {
      return of.childSocketId();
    }
  }
}
