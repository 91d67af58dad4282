namespace Lb;

/// <summary>What became of a removal.</summary>
public enum RemoveResult
{
    /// <summary>The server is out of the pool.</summary>
    Removed,

    /// <summary>The server is not in this pool.</summary>
    NotFound,

    /// <summary>Refused: put it in maintenance first, or force it.</summary>
    NotInMaintenance,

    /// <summary>Refused: it has open leases or callers that wait for it.</summary>
    HasConnections,

    /// <summary>Refused: the sorry server belongs to the pool's options.</summary>
    IsSorryServer,
}
