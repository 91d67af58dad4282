namespace Lb.Transport;

/// <summary>Sessions in the order of their last sign of life: the oldest first. One loop's thread.</summary>
internal sealed class UdpSessionList
{
    /// <summary>The one that has been silent for longest.</summary>
    public UdpSession? Oldest { get; private set; }

    /// <summary>The one that was heard last.</summary>
    public UdpSession? Newest { get; private set; }

    public void Add(UdpSession session)
    {
        session.Older = Newest;
        if (Newest is null) Oldest = session;
        else Newest.Newer = session;
        Newest = session;
    }

    public void Remove(UdpSession session)
    {
        if (session.Older is null) Oldest = session.Newer;
        else session.Older.Newer = session.Newer;
        if (session.Newer is null) Newest = session.Older;
        else session.Newer.Older = session.Older;
        session.Older = session.Newer = null;
    }

    public void MoveToNewest(UdpSession session)
    {
        if (Newest == session) return;
        Remove(session);
        Add(session);
    }
}
