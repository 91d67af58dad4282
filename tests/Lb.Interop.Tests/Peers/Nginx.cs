using System.Net;

namespace Lb.Interop.Tests.Peers;

/// <summary>nginx as one process.</summary>
internal static class Nginx
{
    public static readonly (string Program, string Package) Need = ("/usr/sbin/nginx", "nginx");

    public static readonly (string Program, string Package) NeedsStream = (StreamModule, "libnginx-mod-stream");

    private const string StreamModule = "/usr/lib/nginx/modules/ngx_stream_module.so";

    /// <summary>Starts it as a proxy of connections.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="ready">One of the addresses it listens on.</param>
    /// <param name="servers">Its <c>server</c> blocks.</param>
    public static Task<Peer> StartStreamAsync(PeerHome home, EndPoint ready, string servers)
    {
        string configuration = home.Write("nginx-stream.conf",
            $"load_module {StreamModule};\ndaemon off;\nmaster_process off;\npid {home.PathOf("nginx-stream.pid")};\nerror_log stderr;\nevents {{}}\nstream {{\n{servers}\n}}\n");
        return Peer.StartAsync(home, ready, [Need.Program, "-p", home.Directory, "-e", "stderr", "-c", configuration]);
    }

    /// <summary>Starts it.</summary>
    /// <param name="home">Where its files are.</param>
    /// <param name="ready">One of the addresses it listens on.</param>
    /// <param name="servers">Its <c>server</c> blocks.</param>
    public static Task<Peer> StartAsync(PeerHome home, EndPoint ready, string servers)
    {
        string temporary = string.Concat(((string[])["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]).Select(name => $"  {name}_temp_path {home.Directory}/{name};\n"));
        string configuration = home.Write("nginx.conf",
            $"daemon off;\nmaster_process off;\npid {home.PathOf("nginx.pid")};\nerror_log stderr;\nevents {{}}\nhttp {{\n  access_log {home.PathOf("access.log")} combined;\n{temporary}{servers}\n}}\n");
        return Peer.StartAsync(home, ready, [Need.Program, "-p", home.Directory, "-e", "stderr", "-c", configuration]);
    }
}
