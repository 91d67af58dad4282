namespace Lb.Peers;

/// <summary>What is started to have each proxy. All forward 127.0.0.1:port to the one backend with one thread and time-outs of 300 s.</summary>
internal static class ProxyPlan
{
    public static IReadOnlyList<string> Names { get; } = ["lb-epoll", "lb-io_uring", "lb-managed", "haproxy", "nginx", "haproxy-splice", "lb-1loop", "lb-2loops"];

    /// <summary>A proxy that is not kept to one processor.</summary>
    public static bool IsFree(string name) => name is "lb-1loop" or "lb-2loops";

    public static Service Make(string name, int port, int connections, Options options, Tools tools, Workspace workspace) => name switch
    {
        "haproxy" => Haproxy(name, port, connections, options, workspace, splice: false),
        "haproxy-splice" => Haproxy(name, port, connections, options, workspace, splice: true),
        "nginx" => Nginx.Stream(workspace, port, connections, tools.NginxStreamModule, options.NeedsTls),
        "lb-epoll" => Lb(name, port, "epoll", options, workspace),
        "lb-io_uring" => Lb(name, port, "io_uring", options, workspace),
        "lb-managed" => Lb(name, port, "managed", options, workspace),
        "lb-1loop" => Lb(name, port, "epoll", options, workspace) with { IsFree = true },
        "lb-2loops" => Lb(name, port, "epoll", options, workspace, loops: 2) with { IsFree = true },
        _ => Extra(name, port, options),
    };

    // maxpipes: without it HAProxy reserves descriptors for a pipe for every fourth connection, more than the limit of open files may leave.
    private static Service Haproxy(string name, int port, int connections, Options options, Workspace workspace, bool splice)
    {
        string file = workspace.Write($"{name}.cfg", $"""
        global
          nbthread 1
          maxconn {connections + 256}
        {(splice ? "  maxpipes 64" : "")}
        defaults
          mode tcp
          timeout connect 5s
          timeout client 300s
          timeout server 300s
        {(splice ? "  option splice-request\n  option splice-response" : "")}
        listen front
          bind 127.0.0.1:{port}
        {(options.NeedsTls ? $"  bind 127.0.0.1:{port + Workspace.TlsOffset} ssl crt {workspace.PathOf(Workspace.CertificateFile)} ssl-min-ver TLSv1.3" : "")}
          server s1 127.0.0.1:{Workspace.BackendPort}

        """);
        return new(name, port, ["haproxy", "-db", "-f", file]);
    }

    private static Service Lb(string name, int port, string driver, Options options, Workspace workspace, int loops = 1)
    {
        string tls = !options.NeedsTls ? "" : $$"""
            ,
                  "tls": {
                    "Mode": "tcp",
                    "Listen": [ "127.0.0.1:{{port + Workspace.TlsOffset}}" ],
                    "Pool": "web",
                    "ClientTimeout": "300s",
                    "Tls": { "MinVersion": "1.3", "Certificates": [ { "CertificateFile": "{{workspace.PathOf(Workspace.CertificateFile)}}" } ] }
                  }
            """;
        string file = workspace.Write($"{name}.json", $$"""
        {
          "Lb": {
            "Transport": { "Driver": "{{driver}}", "Loops": {{loops}} },
            "Pools": {
              "web": {
                "Balance": "roundrobin",
                "ConnectTimeout": "5s",
                "ServerTimeout": "300s",
                "Servers": [ { "Name": "s1", "Address": "127.0.0.1:{{Workspace.BackendPort}}" } ]
              },
              "echo": { "Balance": "roundrobin", "Servers": [ { "Name": "s1", "Address": "127.0.0.1:{{Workspace.EchoPort}}" } ] }
            },
            "Gateways": {
              "datagrams": { "Mode": "udp", "Listen": [ "127.0.0.1:{{port}}" ], "Pool": "echo", "IdleTimeout": "300s" },
              "front": { "Mode": "tcp", "Listen": [ "127.0.0.1:{{port}}" ], "Pool": "web", "ClientTimeout": "300s" }{{tls}}
            }
          }
        }
        """);
        return new(name, port, ["dotnet", options.LbPath!, "run", "-c", file]);
    }

    private static Service Extra(string name, int port, Options options)
    {
        string command = options.Extras.First(e => e.Name == name).Command
            .Replace("{listen}", $"{port}", StringComparison.Ordinal)
            .Replace("{backend}", $"{Workspace.BackendPort}", StringComparison.Ordinal);
        return new(name, port, command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
    }
}
