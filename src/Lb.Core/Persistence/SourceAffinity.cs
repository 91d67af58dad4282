namespace Lb;

internal sealed class SourceAffinity
{
    private Server? _last;

    public Server? Find(in PeerAddress source, long now) => now == 0 ? _last : null;

    public void Remember(in PeerAddress source, Server server, long now) => _last = server;
}
