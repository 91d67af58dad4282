namespace Lb.Peers;

/// <summary>The two nginx configurations: the backend of everybody, and the stream proxy that is measured.</summary>
internal static class Nginx
{
    /// <summary>Answers <c>/</c> with 13 bytes from memory and <see cref="Workspace.BulkPath"/> from the page cache; never closes first.</summary>
    public static Service Backend(Workspace workspace, int connections) => Make(workspace, "backend", Workspace.BackendPort, $$"""
        {{Head(workspace, "backend", connections)}}
        http {
          access_log off; sendfile on; sendfile_max_chunk 2m;
          keepalive_requests 1000000000; keepalive_timeout 300s; client_header_timeout 300s; send_timeout 300s;
          client_body_temp_path {{workspace.PathOf("t1")}}; proxy_temp_path {{workspace.PathOf("t2")}};
          fastcgi_temp_path {{workspace.PathOf("t3")}}; uwsgi_temp_path {{workspace.PathOf("t4")}}; scgi_temp_path {{workspace.PathOf("t5")}};
          open_file_cache max=10; open_file_cache_valid 1h;
          server {
            listen 127.0.0.1:{{Workspace.BackendPort}} backlog=4096;
            root {{workspace.PathOf("www")}};
            location = / { default_type text/plain; return 200 "hello world!\n"; }
          }
        }
        """);

    public static Service Stream(Workspace workspace, int port, int connections, string? module, bool tls) => Make(workspace, "nginx", port, $$"""
        {{(module is null ? "" : $"load_module {module};")}}
        {{Head(workspace, "nginx", 2 * connections)}}
        stream {
          server {
            listen 127.0.0.1:{{port}} backlog=4096;
            {{(tls ? Tls(workspace, port + Workspace.TlsOffset) : "")}}
            proxy_pass 127.0.0.1:{{Workspace.BackendPort}};
            proxy_timeout 300s; proxy_connect_timeout 5s; tcp_nodelay on;
          }
          server {
            listen 127.0.0.1:{{port}} udp rcvbuf=4m sndbuf=4m;
            proxy_pass 127.0.0.1:{{Workspace.EchoPort}};
            proxy_timeout 300s;
          }
        }
        """);

    private static string Tls(Workspace workspace, int port)
    {
        string certificate = workspace.PathOf(Workspace.CertificateFile);
        return $"listen 127.0.0.1:{port} ssl backlog=4096; ssl_protocols TLSv1.3; ssl_certificate {certificate}; ssl_certificate_key {certificate};";
    }

    // One process, in the foreground: its CPU is all there is.
    // Room for a quarter more, because nginx starts to close idle connections when a sixteenth is free.
    private static string Head(Workspace workspace, string name, int connections) => $$"""
        worker_processes 1; master_process off; daemon off; pid {{workspace.PathOf(name)}}.pid; error_log {{workspace.PathOf(name)}}.log crit;
        events { worker_connections {{(connections * 5 / 4) + 512}}; multi_accept on; }
        """;

    private static Service Make(Workspace workspace, string name, int port, string configuration) =>
        new(name, port, ["nginx", "-p", workspace.PathOf(""), "-e", workspace.PathOf($"{name}.log"), "-c", workspace.Write($"{name}.conf", configuration)]);
}
